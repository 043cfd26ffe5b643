/**
 * Any softphone or desk phone that registers `tel:` links. It dials and tells nothing back: the agent declares what
 * happened with the keys of the screen, and the server keeps it as declared.
 */
export function createTelPhone() {
  return {
    cutsOnUnload: false,
    dial(number) {
      const link = document.createElement("a");
      link.href = `tel:${number}`;
      link.click();
    },
    hangup() {},
    resume() {},
    told() {},
    close() {},
  };
}
