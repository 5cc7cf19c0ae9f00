// Runs beside the page: hands 0.1 s of the microphone at a time to it, as 16-bit samples.
class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.samples = new Int16Array(Math.round(sampleRate / 10));
    this.count = 0;
    this.power = 0;
  }

  process(inputs) {
    const channels = inputs[0];
    if (!channels.length) return true;
    for (let i = 0; i < channels[0].length; i++) {
      let value = 0;
      for (const channel of channels) value += channel[i] / channels.length;
      value = Math.max(-1, Math.min(1, value));
      this.power += value * value;
      this.samples[this.count++] = Math.round(value * 32767);
      if (this.count === this.samples.length) this.send();
    }
    return true;
  }

  send() {
    const level = 10 * Math.log10(this.power / this.count + 1e-9);
    const samples = this.samples.slice();
    this.port.postMessage({ samples: samples.buffer, level }, [samples.buffer]);
    this.count = 0;
    this.power = 0;
  }
}

registerProcessor("recorder", Recorder);
