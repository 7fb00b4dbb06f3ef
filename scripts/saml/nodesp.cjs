// A console made of @node-saml/node-saml at Node's own server.
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { createRequire } = require('node:module');
const { certificates, freePort, request } = require('./lib.cjs');

class NodeSP {
  constructor(work, modules) {
    Object.assign(this, { kind: 'node', work, sessions: {}, problems: [] });
    this.nodeSaml = createRequire(path.join(modules, 'package.json'))('@node-saml/node-saml');
  }

  // start begins the console; idp is the address of the portal's metadata.
  async start(idp, name) {
    this.idp = idp;
    this.port = await freePort();
    this.base = `http://127.0.0.1:${this.port}`;
    this.metadata = `${this.base}/metadata`;
    this.keys(name);
    await this.learn();
    this.server = http.createServer((req, res) => this.serve(req, res).catch((e) => {
      this.problems.push(e.message);
      res.writeHead(400).end(`refused: ${e.message}`);
    }));
    await new Promise((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
  }

  leaves() { return `${this.base}/out`; }

  stop() { this.server?.close(); this.server?.closeAllConnections(); }

  // keys names the pair it signs and decrypts with, and one more that its metadata announces.
  keys(now, next) {
    const read = (n, ext) => fs.readFileSync(path.join(this.work, 'certs', `${n}.${ext}`), 'utf8');
    this.key = read(now, 'key');
    this.certs = [now, next].filter(Boolean).map((n) => read(n, 'crt'));
    if (this.trusted) this.build();
  }

  // learn reads the portal's metadata, as an administrator would have it read.
  async learn() {
    const xml = (await request('GET', this.idp)).body;
    this.trusted = certificates(xml, 'signing');
    this.entity = /entityID="([^"]+)"/.exec(xml)[1];
    const at = (what) => new RegExp(`<md:${what} [^>]*HTTP-Redirect"[^>]*Location="([^"]+)"`).exec(xml)[1];
    this.entryPoint = at('SingleSignOnService');
    this.logoutUrl = at('SingleLogoutService');
    this.build();
  }

  build() {
    this.saml = new this.nodeSaml.SAML({
      entryPoint: this.entryPoint, logoutUrl: this.logoutUrl, issuer: this.metadata, callbackUrl: `${this.base}/acs`, logoutCallbackUrl: `${this.base}/slo`,
      idpCert: this.trusted, idpIssuer: this.entity, privateKey: this.key, publicCert: this.certs[0], decryptionPvk: this.key,
      signatureAlgorithm: 'sha256', digestAlgorithm: 'sha256', validateInResponseTo: 'ifPresent',
      identifierFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', wantAssertionsSigned: true, wantAuthnResponseSigned: true,
    });
  }

  async serve(req, res) {
    const u = new URL(req.url, this.base);
    const id = /(?:^|; )node-session=([\w-]+)/.exec(req.headers.cookie ?? '')?.[1];
    const at = { '/': 'home', '/acs': 'acs', '/slo': 'slo', '/out': 'out', '/metadata': 'describe' }[u.pathname];
    if (!at) return void res.writeHead(404).end();
    const fields = req.method === 'POST' ? Object.fromEntries(new URLSearchParams(await body(req))) : Object.fromEntries(u.searchParams);
    await this[at](res, { id, fields, query: u.search.slice(1), post: req.method === 'POST' });
  }

  go(res, to, cookie) { res.writeHead(302, { location: to, ...(cookie ? { 'set-cookie': cookie } : {}) }).end(); }

  describe(res) {
    res.writeHead(200, { 'content-type': 'application/samlmetadata+xml' }).end(this.saml.generateServiceProviderMetadata(this.certs[0], this.certs));
  }

  async home(res, { id }) {
    const p = this.sessions[id];
    if (!p) return this.go(res, await this.saml.getAuthorizeUrlAsync('/', undefined, {}));
    const lines = Object.entries({ subject: p.nameID, format: p.nameIDFormat, xAccountId: p.xAccountId, name: p.name, email: p.email, issuer: p.issuer }).map(([k, v]) => `${k}=${v ?? '(none)'}`);
    res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html><title>node</title><pre>\n${lines.join('\n')}\n</pre>\n`);
  }

  async acs(res, { fields }) {
    const { profile } = await this.saml.validatePostResponseAsync(fields);
    const id = crypto.randomUUID();
    this.sessions[id] = profile;
    this.go(res, '/', `node-session=${id}; Path=/; HttpOnly`);
  }

  // out begins a logout here.
  async out(res, { id }) {
    const p = this.sessions[id];
    delete this.sessions[id];
    this.go(res, p ? await this.saml.getLogoutUrlAsync(p, 'left') : '/', 'node-session=; Path=/; Max-Age=0');
  }

  // slo takes the portal's question, which ends every session of its subject, or its answer.
  async slo(res, { fields, query, post }) {
    const check = post ? (fields.SAMLResponse ? 'validatePostResponseAsync' : 'validatePostRequestAsync') : 'validateRedirectAsync';
    const { profile } = await this.saml[check](fields, query);
    if (fields.SAMLResponse) return void res.writeHead(200, { 'content-type': 'text/html' }).end('<p>left</p>');
    for (const [id, p] of Object.entries(this.sessions)) if (p.nameID === profile.nameID && p.sessionIndex === profile.sessionIndex) delete this.sessions[id];
    this.go(res, await this.saml.getLogoutResponseUrlAsync(profile, fields.RelayState, {}, true));
  }
}

async function body(req) {
  const parts = [];
  for await (const p of req) parts.push(p);
  return Buffer.concat(parts).toString('utf8');
}

module.exports = { NodeSP };
