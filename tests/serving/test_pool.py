import asyncio
from types import SimpleNamespace

import pytest

from cascade.serving.pool import Broken, Pool


def test_a_process_that_died_while_idle_gets_no_stream():
    dead, alive = SimpleNamespace(alive=False), SimpleNamespace(alive=True)
    pool = Pool([dead, alive], None)
    streams = [pool.open(16000) for _ in range(2)]
    assert pool.alive == 1 and len({id(one._worker) for one in streams}) == 1
    alive.alive = False
    with pytest.raises(Broken, match="No process is left"):
        pool.open(16000)


def test_a_process_that_dies_while_idle_ends_its_streams(monkeypatch):
    monkeypatch.setattr("cascade.serving.pool.WATCH", 0.01)
    process = SimpleNamespace(alive=True)

    async def died():
        pool = Pool([process], None)
        channel = pool.open(16000)
        running = asyncio.create_task(pool.run())
        await asyncio.sleep(0.1)
        assert not running.done()
        process.alive = False
        await asyncio.wait_for(running, 10)
        with pytest.raises(Broken, match=r"has died\. Connect again"):
            await channel.messages()

    asyncio.run(died())
