/** Reports one line a test, what went wrong below it, and closes with `N passed, N failed`. */
export default async function* report(source) {
  let passed = 0;
  let failed = 0;
  for await (const { type, data } of source) {
    const seconds = () => `${(data.details.duration_ms / 1000).toFixed(1)} s`;
    switch (type) {
      case "test:diagnostic":
        // What a test says about itself; the runner's own sums have no file.
        if (data.file) yield indent(data.message);
        break;
      case "test:stderr":
      case "test:stdout":
        yield data.message;
        break;
      case "test:pass":
        passed++;
        yield `  ok      ${data.name} (${seconds()})\n`;
        break;
      case "test:fail": {
        failed++;
        const cause = data.details.error.cause ?? data.details.error;
        yield `  FAILED  ${data.name} (${seconds()})\n`;
        yield indent(cause.stack ?? String(cause));
        break;
      }
    }
  }
  yield `${passed} passed, ${failed} failed\n`;
}

function indent(text) {
  return `${text.replaceAll(/^/gm, "          ")}\n`;
}
