/** The page of an application of the tests: what it knows of who is signed in, and where to go from there. */
export const page = (known) => `<!doctype html>
<pre id="who">${JSON.stringify(known)}</pre>
<a id="login" href="/login">Log in</a>
<a id="refresh" href="/refresh">Refresh</a>
<a id="logout" href="/logout">Log out</a>`;
