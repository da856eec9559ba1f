/** Return a function that runs `run(item)` for each item it is called with, one after the other. */
export function inTurn(run) {
  let last = Promise.resolve();
  return (item) => {
    last = last.then(() => run(item));
    return last;
  };
}
