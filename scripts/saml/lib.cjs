// What the trials of independent SAML peers share: the portal as a process, its commands, a browser without a
// screen, and plain checks. Node's own modules alone.
'use strict';
const { spawn, execFile, execFileSync } = require('node:child_process');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const fs = require('node:fs');

const children = [];

// start runs a program until the trial is over, or stop is called on it; more is for spawn.
function start(command, args, env, log, more = {}) {
  const out = fs.openSync(log, 'a');
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', out, out], ...more });
  child.done = new Promise((resolve) => child.on('exit', resolve));
  children.push(child);
  return child;
}

async function stop(child) {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 10000);
  await child.done;
  clearTimeout(hard);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const s = net.createServer().on('error', reject);
    s.listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => resolve(port)); });
  });
}

async function ready(url, child) {
  for (let i = 0; i < 300; i++) {
    if (child.exitCode !== null) break;
    try {
      if ((await request('GET', url)).status === 200) return;
    } catch { /* not yet */ }
    await new Promise((r) => setTimeout(r, 100));
  }
  throw new Error(`${url} does not answer`);
}

function request(method, url, headers = {}, body) {
  return new Promise((resolve, reject) => {
    const u = new URL(url);
    const req = http.request({ method, host: '127.0.0.1', port: u.port, path: u.pathname + u.search, headers: { host: u.host, connection: 'close', ...headers }, timeout: 30000 }, (res) => {
      const parts = [];
      res.on('data', (p) => parts.push(p));
      res.on('end', () => resolve({ url, status: res.statusCode, headers: res.headers, body: Buffer.concat(parts).toString('utf8') }));
      res.on('error', reject);
    });
    req.on('error', reject).on('timeout', () => req.destroy(new Error(`${url}: no answer in time`)));
    req.end(body);
  });
}

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const unescape = (s) => s.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (all, x, d, n) => (n ? entities[n] ?? all : String.fromCodePoint(x ? parseInt(x, 16) : Number(d))));

function attributes(tag) {
  const out = {};
  for (const m of tag.matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) out[m[1].toLowerCase()] = unescape(m[2] ?? m[3]);
  return out;
}

// Browser keeps cookies by host as browsers do: those of localhost never reach 127.0.0.1, and another site's
// page that posts takes only what is marked SameSite=None.
class Browser {
  constructor() { this.jar = {}; }

  async send(method, url, form, from) {
    const u = new URL(url);
    const cross = from !== undefined && new URL(from).hostname !== u.hostname;
    const held = Object.entries(this.jar[u.hostname] ?? {}).filter(([, k]) => !cross || method === 'GET' || k.none);
    const headers = { accept: u.pathname.startsWith('/api/') ? 'application/json' : 'text/html', 'accept-language': 'zh-CN' };
    if (held.length) headers.cookie = held.map(([n, k]) => `${n}=${k.value}`).join('; ');
    let body;
    if (form?.SAMLResponse) this.said = Buffer.from(form.SAMLResponse, 'base64').toString('utf8');
    if (method === 'POST') {
      body = new URLSearchParams(form).toString();
      headers['content-type'] = 'application/x-www-form-urlencoded';
      headers['content-length'] = Buffer.byteLength(body);
      headers['sec-fetch-site'] = cross ? 'cross-site' : 'same-origin';
      headers.origin = new URL(from ?? url).origin;
    }
    const page = await request(method, url, headers, body);
    for (const line of page.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      const jar = (this.jar[u.hostname] ??= {});
      if (/max-age=(0|-\d+)(;|$)/i.test(line) || value === 'deleted') delete jar[name];
      else jar[name] = { value, none: /samesite=none/i.test(line) };
    }
    if (page.status >= 500 && u.hostname === 'localhost') throw new Error(`${method} ${url} answers ${page.status}\n${page.body.slice(0, 2000)}`);
    return page;
  }

  // follow goes where redirects lead, and presses the only button or link of pages that carry a message on.
  async follow(page, messages = true) {
    for (let i = 0; i < 20; i++) {
      if (page.status >= 300 && page.status < 400) {
        page = await this.send('GET', new URL(page.headers.location, page.url).href);
        continue;
      }
      const link = messages && page.status === 200 ? /<a [^>]*\bdata-send\b[^>]*>/.exec(page.body) : null;
      if (link) {
        page = await this.send('GET', new URL(attributes(link[0]).href, page.url).href);
        continue;
      }
      const f = messages && page.status === 200 ? form(page) : undefined;
      if (!f || !(f.fields.SAMLResponse || f.fields.SAMLRequest)) return page;
      page = await this.send('POST', f.action, f.fields, page.url);
    }
    throw new Error(`${page.url} leads nowhere`);
  }

  async open(url, messages = true) { return this.follow(await this.send('GET', url), messages); }

  async submit(page, more, messages = true) {
    const f = form(page);
    if (!f) throw new Error(`${page.url} has no form (${page.status})\n${page.body.slice(0, 1500)}`);
    return this.follow(await this.send('POST', f.action, { ...f.fields, ...more }, page.url), messages);
  }
}

// form is the first form of a page that is posted, with its hidden fields.
function form(page) {
  for (const m of page.body.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/gi)) {
    const a = attributes(m[1]);
    if ((a.method ?? 'get').toLowerCase() !== 'post') continue;
    const fields = {};
    for (const i of m[2].matchAll(/<input([^>]*)>/gi)) {
      const f = attributes(i[1]);
      if (f.name && f.type === 'hidden') fields[f.name] = f.value ?? '';
    }
    return { action: new URL(a.action ?? '', page.url).href, fields };
  }
  return undefined;
}

let checks = 0;
const failed = [];
function check(what, ok, seen) {
  checks++;
  if (ok) return;
  failed.push(what);
  console.error(`FAILED ${what}${seen === undefined ? '' : `: ${typeof seen === 'string' ? seen.slice(0, 3000) : JSON.stringify(seen)}`}`);
}
const same = (what, got, want) => check(what, got === want, `${JSON.stringify(got)}, not ${JSON.stringify(want)}`);

// Portal is the binary under trial, with a folder of its own.
class Portal {
  static async start(binary, work) {
    const p = new Portal();
    p.binary = binary;
    p.port = await freePort();
    p.base = `http://localhost:${p.port}`;
    p.env = { PORTAL_DATA: path.join(work, 'data'), PORTAL_BASE_URL: p.base, PORTAL_ADDR: `127.0.0.1:${p.port}`, PORTAL_DB: '', LANG: 'C.UTF-8' };
    await p.cli('org', 'add', '--code', 'V1', '--kind', 'vendor', '--name', '厂商');
    await p.cli('org', 'add', '--code', 'P1', '--kind', 'solution', '--name', '云岫科技', '--parent', 'V1');
    await p.cli('org', 'add', '--code', 'P2', '--kind', 'solution', '--name', '别家伙伴', '--parent', 'V1');
    p.child = start(binary, ['serve'], p.env, path.join(work, 'portal.log'));
    await ready(`${p.base}/readyz`, p.child);
    return p;
  }

  // cli runs a command beside the server; peers in this process go on answering meanwhile.
  cli(...args) {
    return new Promise((resolve, reject) => {
      execFile(this.binary, ['--json', ...args], { env: { ...process.env, ...this.env } }, (e, out, err) => {
        if (e) reject(new Error(`portal ${args.join(' ')}: exit ${e.code}\n${out}${err}`));
        else resolve(JSON.parse(out));
      });
    });
  }

  add(metadata, type) { return this.cli('sso', 'idp', 'add', '--partner', 'P1', '--metadata', metadata, '--account-type', type, '--activate'); }

  entry(type) { return `${this.base}/authui/saml/login?xAccountType=${type}&isFirstLogin=true`; }

  async session(browser) {
    const page = await browser.send('GET', `${this.base}/api/session`);
    return { status: page.status, ...JSON.parse(page.body) };
  }

  // customer makes a customer with one person; of a partner, by the rule of a source.
  async customer(work, code, name, login, partner) {
    const file = path.join(work, `${code}.txt`), password = `Cloud-${code}-2026`;
    fs.writeFileSync(file, password);
    await this.cli('org', 'add', '--code', code, '--kind', 'customer', '--name', name);
    await this.cli('user', 'add', '--org', code, '--login', login, '--name', `${name}的李`, '--role', 'admin', '--password-file', file, '--keep-password');
    if (partner) {
      await this.cli('source', 'add', '--name', `lines-${code}`, '--vendor', 'V1', '--dialect', 'focus');
      fs.writeFileSync(file, `source,key,customer,partner,association,valid_from,valid_to\nlines-${code},1,${code},${partner},resale,,\n`);
      await this.cli('map', 'import', file);
    }
    return { code, name, login, password };
  }

  // arrive agrees on the page of a first entry.
  async arrive(browser, page, name) {
    check(`${name}: the page of the first entry`, page.status === 200 && /value="create"/.test(page.body), `${page.status} ${page.url}\n${page.body}`);
    let next = await browser.submit(page, { do: 'create' });
    check(`${name}: no entry without consent`, next.status === 422, `${next.status} ${next.url}`);
    same(`${name}: nobody is signed in without consent`, (await this.session(browser)).status, 401);
    next = await browser.submit(next, { do: 'create', consent: 'true' });
    check(`${name}: lands in the console`, next.status === 200 && next.url.includes('/o/'), `${next.status} ${next.url}\n${next.body}`);
  }

  // refused finds the code behind the reference a customer is told.
  async refused(what, page, code) {
    const ref = /\b([0-9A-Z]{10})\b/.exec(page.body.replace(/<[^>]*>/g, ' '));
    if (page.status < 400 || !ref) return check(`${what}: refused`, false, `${page.status} ${page.url}\n${page.body}`);
    const why = await this.cli('sso', 'explain', ref[1]);
    same(`${what}: code`, why.code, code);
    check(`${what}: the customer is not told why`, !page.body.includes(code), page.body);
  }
}

// run carries out a trial and ends the process: 0 only if every check held.
async function run(name, trial) {
  const began = Date.now();
  try {
    await trial();
  } catch (e) {
    failed.push(e.message);
    console.error(`FAILED ${e.stack}`);
  }
  for (const c of children) await stop(c);
  if (failed.length === 0 && checks === 0) failed.push('nothing was checked');
  console.log(`${name}: ${checks} checks, ${failed.length} failed, ${((Date.now() - began) / 1000).toFixed(1)} s`);
  process.exit(failed.length ? 1 : 0);
}

// keyPair makes a self-signed certificate of two days.
function keyPair(work, name) {
  const key = path.join(work, `${name}.key`), cert = path.join(work, `${name}.crt`);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-sha256', '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', cert], { stdio: 'pipe' });
  return { key: fs.readFileSync(key), cert: fs.readFileSync(cert) };
}

// certificates are those of a use in a metadata document, as PEM.
function certificates(xml, use) {
  const out = [];
  for (const m of xml.matchAll(/<(?:\w+:)?KeyDescriptor([^>]*)>([\s\S]*?)<\/(?:\w+:)?KeyDescriptor>/g)) {
    const c = /<(?:\w+:)?X509Certificate>([\s\S]*?)</.exec(m[2])[1].replace(/\s/g, '');
    if ((attributes(m[1]).use ?? use) === use) out.push(`-----BEGIN CERTIFICATE-----\n${c.replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`);
  }
  return out;
}

module.exports = { Browser, Portal, certificates, check, same, form, freePort, keyPair, ready, request, run, start, stop };
