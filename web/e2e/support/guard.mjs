/**
 * Watches pages for what must never happen: errors on the console, uncaught errors and rejections, violations of the
 * content policy, dialogs of the browser, and requests that leave for another host.
 */
export class Guard {
  #problems = [];
  #allowed = [];
  #hosts = new Set();

  constructor(origin) {
    this.allowHost(origin);
    // A browser logs every answer of 4xx, also this one, which tells a stranger that nobody is signed in.
    this.allow(/status of 401 .*\/api\/v1\/auth\/refresh/);
  }

  async watch(context) {
    await context.exposeBinding("reportToTest", (_source, problem) => this.#add(problem));
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        window.reportToTest(`CSP: ${event.effectiveDirective} refuses ${event.blockedURI} ${event.sample}`);
      });
    });
    context.on("page", (page) => this.#watchPage(page));
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (/^(https?|wss?|ftp):$/.test(url.protocol) && !this.#hosts.has(url.host)) {
        this.#add(`request to ${request.url()}`);
      }
    });
  }

  #watchPage(page) {
    page.on("pageerror", (error) => this.#add(`uncaught: ${error.stack ?? error}`));
    page.on("crash", () => this.#add("the page crashed"));
    page.on("dialog", (dialog) => {
      this.#add(`dialog: ${dialog.type()} ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      this.#add(`console: ${message.text()} ${message.location().url}`);
    });
  }

  #add(problem) {
    if (!this.#allowed.some((pattern) => pattern.test(problem))) this.#problems.push(problem);
  }

  /** Requests to that origin's host are expected. */
  allowHost(origin) {
    this.#hosts.add(new URL(origin).host);
  }

  /** Problems that match are expected from now on. */
  allow(pattern) {
    this.#allowed.push(pattern);
  }

  /** What a browser logs while its server, or all behind a load balancer, is away is expected during `work`; no more. */
  async duringOutage(work) {
    const outage =
      /ERR_CONNECTION_(REFUSED|RESET|CLOSED)|ERR_EMPTY_RESPONSE|ERR_INTERNET_DISCONNECTED|WebSocket connection to .* failed|ERR_FAILED|status of 50[234] /;
    this.#allowed.push(outage);
    try {
      return await work();
    } finally {
      this.#allowed.splice(this.#allowed.indexOf(outage), 1);
    }
  }

  get problems() {
    return [...new Set(this.#problems)];
  }

  check() {
    if (this.#problems.length > 0) throw new Error(`the browser complains:\n  ${this.problems.join("\n  ")}`);
  }
}
