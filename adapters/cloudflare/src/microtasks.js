// Workers have a `queueMicrotask` that takes ten times as long as a promise of the engine's own, and futures
// queue some for each request. What a task throws is reported as it would be otherwise.
export function quicken() {
  const done = Promise.resolve();
  globalThis.queueMicrotask = (task) => {
    done.then(task).catch(reportError);
  };
}
