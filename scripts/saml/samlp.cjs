// Customers come from an identity provider made of samlp (Node): with a signed assertion, with a signed
// Response, with an encrypted assertion; with a key nobody registered; out from both sides; and a customer who has an
// account here already.
// Arguments: the portal's binary and a folder that holds node_modules.
'use strict';
const http = require('node:http');
const path = require('node:path');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const { Browser, Portal, certificates, check, same, freePort, keyPair, run } = require('./lib.cjs');

const [binary, work] = process.argv.slice(2).map((p) => path.resolve(p));
const samlp = createRequire(path.join(work, 'package.json'))('samlp');

const name = '星河科技（上海）有限公司';
const redirect = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';
const transient = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';

// Platform is a sales platform: one identity provider below a path of its own.
class Platform {
  constructor(base, type, keys, how) {
    Object.assign(this, { base, type, keys, how, issuer: `${base}/${type}`, participants: [], kept: {}, said: 0, problems: [] });
    this.registered = keys;
  }

  user() { return { account: `acc-${this.type}-甲`, user: `user-${this.type}`, nameId: `n-${this.type}-${++this.said}`, session: `s-${this.said}` }; }

  // knows takes the portal's metadata: addresses, and certificates to verify and to encrypt with.
  knows(added, metadata) {
    this.sp = added;
    this.signing = certificates(metadata, 'signing')[0];
    this.encryption = certificates(metadata, 'encryption')[0];
  }

  metadata(req, res) {
    samlp.metadata({ issuer: this.issuer, cert: this.registered.cert, redirectEndpointPath: `/${this.type}/sso`, postEndpointPath: `/${this.type}/sso`,
      logoutEndpointPaths: { redirect: `/${this.type}/slo` } })(req, res);
  }

  // cancel answers that the customer did not sign in.
  cancel(req, res, next) {
    samlp.parseRequest(req, {}, (err, question) => (err ? next(err) : samlp.sendError({ issuer: this.issuer, destination: this.sp.acs, inResponseTo: question.id, RelayState: req.query.RelayState,
      error: { code: 'urn:oasis:names:tc:SAML:2.0:status:Responder', description: 'cancelled' }, getPostURL: (r, cb) => cb(null, this.sp.acs) })(req, res, next)));
  }

  sso(req, res, next) {
    if (this.cancels) return void this.cancel(req, res, next);
    const u = this.user();
    samlp.auth({
      issuer: this.issuer, ...this.keys, ...this.how, signingCert: this.signing,
      getUserFromRequest: () => u,
      getPostURL: (audience, dom, r, cb) => { same(`${this.type}: the request names its entity`, audience, this.sp.sp_entity); cb(null, this.sp.acs); },
      destination: this.sp.acs, recipient: this.sp.acs, lifetimeInSeconds: 300, sessionIndex: u.session,
      ...(this.how.encrypt ? { encryptionCert: this.encryption, encryptionPublicKey: this.encryption } : {}),
      profileMapper: () => ({
        getClaims: () => ({ xAccountId: u.account, xUserId: u.user, name, mobile: '0086-13800000000', email: 'li@example.com' }),
        getNameIdentifier: () => ({ nameIdentifier: u.nameId, nameIdentifierFormat: transient }),
      }),
    })(req, res, next);
    this.participants = [{ serviceProviderId: this.sp.sp_entity, sessionIndex: u.session, nameId: u.nameId, nameIdFormat: transient,
      serviceProviderLogoutURL: this.sp.sp_slo, cert: this.signing }];
  }

  slo(req, res, next) {
    const list = new (require(path.join(work, 'node_modules/samlp/lib/sessionParticipants')))(this.participants);
    const store = {
      save: (r, state, cb) => { const id = `t${Object.keys(this.kept).length + 1}`; this.kept[id] = state; cb(null, id); },
      load: (r, id, options, cb) => { (cb ?? options)(null, this.kept[id]); },
      update: (r, id, state, cb) => { this.kept[id] = state; cb(); },
    };
    samlp.logout({ issuer: this.issuer, ...this.keys, deflate: true, protocolBinding: redirect, sessionParticipants: list, store,
      clearIdPSession: (cb) => { this.ended = true; cb(); } })(req, res, next);
  }
}

// serve gives the middleware the little of a web framework that it asks for.
function serve(platforms, port) {
  const server = http.createServer((raw, res) => {
    const u = new URL(raw.url, `http://127.0.0.1:${port}`);
    const [, type, what] = u.pathname.split('/');
    const req = Object.assign(raw, { query: Object.fromEntries(u.searchParams), originalUrl: raw.url, protocol: 'http', body: {} });
    res.set = (k, v) => res.setHeader(k, v);
    res.send = (a, b) => { if (typeof a === 'number') res.statusCode = a; res.end(String(b ?? (typeof a === 'number' ? '' : a))); };
    res.redirect = (to) => { res.statusCode = 302; res.setHeader('location', to); res.end(); };
    const p = platforms[type];
    if (!p || !['metadata', 'sso', 'slo'].includes(what)) return void res.writeHead(404).end();
    p[what](req, res, (err) => { p.problems.push(String(err)); res.writeHead(400).end(String(err)); });
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}

async function entersTwice(portal, p) {
  const b = new Browser();
  same(`${p.type}: nobody at first`, (await portal.session(b)).status, 401);
  await portal.arrive(b, await b.open(portal.entry(p.type)), p.type);
  const first = await portal.session(b);
  same(`${p.type}: name of the customer`, first.organisation_name, name);
  for (const [field, want] of Object.entries({ partner: 'P1', registration: p.sp.key, xAccountType: p.type, customer: first.organisation,
    xAccountId: `acc-${p.type}-甲`, xUserId: `user-${p.type}`, nameId: `n-${p.type}-1`, nameIdFormat: transient, sessionIndex: 's-1' })) same(`${p.type}: ${field}`, first.saml?.[field], want);
  same(`${p.type}: attribute name`, first.saml?.attributes?.name, name);
  const again = new Browser();
  const page = await again.open(portal.entry(p.type));
  check(`${p.type}: the second time without a question`, page.status === 200 && page.url.includes(`/o/${first.organisation}/`), `${page.status} ${page.url}\n${page.body}`);
  const second = await portal.session(again);
  same(`${p.type}: the same customer`, second.saml?.customer, first.saml?.customer);
  same(`${p.type}: the same person`, second.person, first.person);
  same(`${p.type}: the new name of the subject`, second.saml?.nameId, `n-${p.type}-2`);
  same(`${p.type}: nothing the peer could not read`, p.problems.join(), '');
  return again;
}

// leftBoth: the page of having left says so of the portal and of the platform.
const leftBoth = (page) => page.body.split('已退出').length === 3 && !page.body.includes('未能退出');

async function leavesHere(portal, p, b) {
  p.ended = false;
  const page = await b.follow(await b.send('POST', `${portal.base}/saml/leave`, {}));
  check(`${p.type}: the portal reads the peer's answer`, page.status === 200 && page.url.startsWith(`${p.sp.sp_slo}?`) && leftBoth(page), `${page.status} ${page.url}\n${page.body}`);
  check(`${p.type}: out at the peer`, p.ended, p.problems);
  same(`${p.type}: out here`, (await portal.session(b)).status, 401);
}

async function leavesThere(portal, p) {
  const b = new Browser();
  await b.open(portal.entry(p.type));
  same(`${p.type}: in again`, (await portal.session(b)).status, 200);
  p.ended = false;
  const page = await b.open(`${p.issuer}/slo`);
  check(`${p.type}: the peer takes our answer`, page.status === 200 && page.url.startsWith(p.base) && p.ended, `${page.status} ${page.url} ${p.problems}\n${page.body}`);
  same(`${p.type}: out here, from there`, (await portal.session(b)).status, 401);
}

async function cancels(portal, p) {
  const b = new Browser();
  p.cancels = true;
  const page = await b.open(portal.entry(p.type));
  p.cancels = false;
  check(`${p.type}: cancelled at the peer, a friendly page`, page.status === 403 && /<h1[^>]*>[^<]*取消/.test(page.body) && page.body.includes('云岫科技'), `${page.status} ${page.url}\n${page.body}`);
  await portal.refused(`${p.type}: cancelled at the peer`, page, 'sso.msg.status');
  same(`${p.type}: nobody is in`, (await portal.session(b)).status, 401);
}

// hasAccount: a customer who is here already proves its account by signing in, and is bound to it from then on; one
// of another partner is refused, but only after the proof.
async function hasAccount(portal, p) {
  const type = `${p.type}, an account that exists`;
  const own = await portal.customer(work, 'C7', '远山集团', 'yuanshan'), others = await portal.customer(work, 'C8', '别家的客户', 'bieren', 'P2');
  const proves = async (c, account) => {
    const b = new Browser();
    p.user = () => ({ account, user: account, nameId: `n-${account}`, session: `s-${account}` });
    let page = await b.open(portal.entry(p.type));
    check(`${type}: the page of the first entry`, page.status === 200 && /value="bind"/.test(page.body), `${page.status} ${page.url}\n${page.body}`);
    const arrival = page.url;
    page = await b.submit(page, { do: 'link', consent: 'true' });
    check(`${type}: nothing is bound without a sign-in`, page.url.startsWith(`${portal.base}/login?next=`), `${page.status} ${page.url}`);
    page = await b.submit(page, { username: c.login, password: `${c.password}.` });
    same(`${type}: nobody is in by a wrong password`, (await portal.session(b)).status, 401);
    page = await b.submit(page, { username: c.login, password: c.password });
    check(`${type}: back at the page of the first entry`, page.url === arrival && /value="link"/.test(page.body), `${page.status} ${page.url}\n${page.body}`);
    return { b, page };
  };
  let { b, page } = await proves(own, 'acc-own');
  page = await b.submit(page, { do: 'link' });
  same(`${type}: not bound without consent`, page.status, 422);
  page = await b.submit(page, { do: 'link', consent: 'true' });
  check(`${type}: bound, and in the console`, page.status === 200 && page.url.includes(`/o/${own.code}/`), `${page.status} ${page.url}\n${page.body}`);
  for (const browser of [b, new Browser()]) {
    if (browser !== b) await browser.open(portal.entry(p.type));
    const s = await portal.session(browser);
    for (const [field, want] of Object.entries({ organisation: own.code, organisation_name: own.name, person: own.login, how: 'saml' })) same(`${type}: ${field}`, s[field], want);
    same(`${type}: the platform's account`, s.saml?.xAccountId, 'acc-own');
  }
  ({ b, page } = await proves(others, 'acc-other'));
  await portal.refused(`${type}, of another partner`, await b.submit(page, { do: 'link', consent: 'true' }), 'sso.link.other_partner');
  delete p.user;
}

async function stranger(portal, p, keys) {
  const b = new Browser();
  p.keys = keys;
  await portal.refused(`${p.type}: a key nobody registered`, await b.open(portal.entry(p.type)), 'sso.sig.key');
  same(`${p.type}: nobody is in by it`, (await portal.session(b)).status, 401);
  p.keys = { ...p.registered, key: keys.key };
  await portal.refused(`${p.type}: another's key under the registered certificate`, await b.open(portal.entry(p.type)), 'sso.sig.value');
  p.keys = p.registered;
}

run('samlp as identity provider', async () => {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const platforms = {};
  for (const [type, how] of Object.entries({ HB_ASSERTION: {}, HB_RESPONSE: { signAssertion: false, signResponse: true }, HB_BOTH: { signResponse: true },
    HB_ENCRYPTED: { encrypt: true, encryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm' } })) {
    platforms[type] = new Platform(base, type, keyPair(work, type), how);
  }
  const server = await serve(platforms, port);
  const portal = await Portal.start(binary, work);
  const other = keyPair(work, 'stranger');
  for (const p of Object.values(platforms)) {
    const added = await portal.add(`${p.issuer}/metadata`, p.type);
    same(`${p.type}: entity`, added.entity_id, p.issuer);
    p.knows(added, (await new Browser().send('GET', added.sp_metadata)).body);
    const b = await entersTwice(portal, p);
    await leavesHere(portal, p, b);
    await leavesThere(portal, p);
    await stranger(portal, p, other);
  }
  await cancels(portal, platforms.HB_ASSERTION);
  await hasAccount(portal, platforms.HB_ASSERTION);
  server.close();
  server.closeAllConnections();
  check('the portal says nothing of panics', !/panic/.test(fs.readFileSync(path.join(work, 'portal.log'), 'utf8')));
});
