const storageKey = "blabber-hive:sound";

/** Whether new messages make a sound on this device; they do not until asked to. */
export function isSoundOn(): boolean {
  return localStorage.getItem(storageKey) === "on";
}

/** Remembers whether new messages make a sound. */
export function setSoundOn(on: boolean): void {
  if (on) localStorage.setItem(storageKey, "on");
  else localStorage.removeItem(storageKey);
}

let context: AudioContext | null = null;

/** Two soft notes, made here: there is no file to fetch. Silent where the browser allows no sound. */
export function playSound(): void {
  context ??= new AudioContext();
  const start = context.currentTime;
  for (const [index, frequency] of [660, 880].entries()) {
    const at = start + index * 0.09;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.type = "sine";
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.06, at + 0.015);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.24);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.25);
  }
}
