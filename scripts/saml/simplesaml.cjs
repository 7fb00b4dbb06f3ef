// Customers come from SimpleSAMLphp: sign-in, first and second entry, metadata refreshed with an added key, the
// peer's keys and ours rolled over, out from both sides.
// Arguments: the portal's binary and a folder that holds SimpleSAMLphp below root/.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const crypto = require('node:crypto');
const { Browser, Portal, check, same, freePort, keyPair, ready, run, start } = require('./lib.cjs');

const [binary, work] = process.argv.slice(2).map((p) => path.resolve(p));
const type = 'HB_SIMPLESAML';
const name = '星河科技（上海）有限公司';
const user = { login: 'li', password: crypto.randomUUID(), xAccountId: 'acc-甲', xUserId: 'user-li' };
const transient = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';

const folder = (n) => { const p = path.join(work, n); fs.mkdirSync(p, { recursive: true }); return p; };
const quote = (s) => `'${s.replace(/[\\']/g, '\\$&')}'`;

// configure writes the peer's settings. Which keys it uses stands in a file that it reads at each request.
function configure(base) {
  const config = folder('config'), metadata = folder('metadata'), certs = folder('certs');
  fs.writeFileSync(path.join(config, 'config.php'), `<?php
$config = [
    'baseurlpath' => ${quote(`${base}/`)}, 'certdir' => ${quote(`${certs}/`)}, 'loggingdir' => ${quote(`${folder('log')}/`)},
    'datadir' => ${quote(`${folder('state')}/`)}, 'tempdir' => ${quote(folder('tmp'))}, 'metadatadir' => ${quote(`${metadata}/`)},
    'secretsalt' => ${quote(crypto.randomUUID())}, 'auth.adminpassword' => ${quote(crypto.randomUUID())}, 'timezone' => 'UTC',
    'technicalcontact_name' => 'Administrator', 'technicalcontact_email' => 'na@example.org',
    'logging.handler' => 'errorlog', 'logging.level' => SimpleSAML\\Logger::NOTICE, 'showerrors' => true, 'errorreporting' => false,
    'enable.saml20-idp' => true, 'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
    'session.cookie.secure' => false, 'session.cookie.samesite' => null, 'language.cookie.secure' => false, 'language.cookie.samesite' => null,
    'session.phpsession.savepath' => ${quote(folder('sessions'))}, 'store.type' => 'phpsession',
    'language.available' => ['en', 'zh'], 'language.default' => 'en', 'admin.checkforupdates' => false,
    'metadata.sources' => [['type' => 'flatfile'], ['type' => 'xml', 'file' => ${quote(path.join(work, 'portal.xml'))}]],
];
`);
  fs.writeFileSync(path.join(config, 'authsources.php'), `<?php
$config = ['customers' => ['exampleauth:UserPass', ${quote(`${user.login}:${user.password}`)} => [
    'xAccountId' => [${quote(user.xAccountId)}], 'xUserId' => [${quote(user.xUserId)}], 'name' => [${quote(name)}], 'mobile' => ['0086-13800000000'],
]]];
`);
  fs.writeFileSync(path.join(metadata, 'saml20-idp-hosted.php'), `<?php
$metadata['__DYNAMIC:1__'] = [
    'host' => '__DEFAULT__', 'auth' => 'customers', 'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'redirect.validate' => true, 'validate.authnrequest' => true, 'sign.logout' => true, 'validate.logout' => true,
] + json_decode(file_get_contents(${quote(path.join(work, 'keys.json'))}), true);
`);
  return certs;
}

// keys says which key the peer signs with and, when given, which it announces besides.
function keys(now, next, more = {}) {
  const text = { privatekey: `${now}.key`, certificate: `${now}.crt`, ...more };
  if (next) Object.assign(text, { new_privatekey: `${next}.key`, new_certificate: `${next}.crt` });
  fs.writeFileSync(path.join(work, 'keys.json'), JSON.stringify(text));
}

// signIn goes by the entry address; a browser that the peer does not know yet signs in there.
async function signIn(portal, browser) {
  const page = await browser.open(portal.entry(type));
  if (!/name="password"/.test(page.body)) return page;
  return browser.submit(page, { username: user.login, password: user.password });
}

async function enters(portal, what, browser = new Browser()) {
  const page = await signIn(portal, browser);
  check(`${what}: signed in without a question`, page.status === 200 && page.url.includes('/o/'), `${page.status} ${page.url}\n${page.body}`);
  const s = await portal.session(browser);
  same(`${what}: whose session`, s.saml?.xAccountId, user.xAccountId);
  return { browser, s };
}

async function takeMetadata(portal, added) {
  const page = await new Browser().send('GET', added.sp_metadata);
  same('our metadata', page.status, 200);
  fs.writeFileSync(path.join(work, 'portal.xml'), page.body);
}

async function entries(portal, added) {
  const b = new Browser();
  await portal.arrive(b, await signIn(portal, b), 'first entry');
  const first = await portal.session(b);
  same('name of the customer', first.organisation_name, name);
  for (const [field, want] of Object.entries({ partner: 'P1', registration: added.key, xAccountType: type, customer: first.organisation, xAccountId: user.xAccountId,
    xUserId: user.xUserId, nameIdFormat: transient })) same(`session: ${field}`, first.saml?.[field], want);
  check('session: nameId', /^_[0-9a-f]{30,}$/.test(first.saml?.nameId ?? ''), first);
  same('session: attribute name', first.saml?.attributes?.name, name);
  const { s } = await enters(portal, 'second entry');
  same('second entry: the same customer', s.saml?.customer, first.organisation);
  check('second entry: another subject', s.saml?.nameId !== first.saml?.nameId, s);
  await enters(portal, 'again in the first browser', b);
}

// theirRollover: a key announced beside the old one, then alone; a key that nobody announced waits for a person.
async function theirRollover(portal, added) {
  const refresh = (...more) => portal.cli('sso', 'idp', 'refresh', added.key, ...more);
  same('refresh without change', (await refresh()).effect, 'nothing');
  keys('one', 'two');
  same('a key is added', (await refresh()).effect, 'apply');
  await enters(portal, 'with the old key while the new one is announced');
  keys('two');
  await enters(portal, 'with the new key before the old one is gone');
  same('the old key is gone', (await refresh()).effect, 'apply');
  await enters(portal, 'with the new key alone');
  keys('three');
  await portal.refused('a key that nobody announced', await signIn(portal, new Browser()), 'sso.sig.key');
  const waits = await refresh();
  same('a key that nobody announced waits', `${waits.effect} ${waits.code}`, 'pending sso.md.key_jump');
  await portal.refused('what waits verifies nothing', await signIn(portal, new Browser()), 'sso.sig.key');
  await refresh('--confirm', waits.metadata_id);
  await enters(portal, 'after a person confirmed');
}

async function ourRollover(portal, added, base) {
  const before = fs.readFileSync(path.join(work, 'portal.xml'));
  const rotate = (phase) => portal.cli('sso', 'idp', 'rotate', added.key, '--phase', phase, '--force');
  await rotate('publish');
  await enters(portal, 'our next key published, the peer unaware');
  await takeMetadata(portal, added);
  await enters(portal, 'our next key known to the peer');
  await rotate('switch');
  const known = fs.readFileSync(path.join(work, 'portal.xml'));
  fs.writeFileSync(path.join(work, 'portal.xml'), before);
  const page = await signIn(portal, new Browser());
  check('the peer refuses a request signed with a key it does not know', page.url.startsWith(`${base}/saml2/idp/SSOService.php`) && !/SAMLResponse/.test(page.body) && /Signature validation|UNHANDLEDEXCEPTION/i.test(page.body), `${page.status} ${page.body}`);
  fs.writeFileSync(path.join(work, 'portal.xml'), known);
  await enters(portal, 'signed with our new key');
  await rotate('retire');
  await enters(portal, 'our old key taken out, the peer unaware');
  await takeMetadata(portal, added);
  await enters(portal, 'our new key alone');
  keys('three', '', { 'assertion.encryption': true, sharedkey_algorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm' });
  await enters(portal, 'encrypted for our new key');
  keys('three');
}

async function leaving(portal, base) {
  let { browser: b } = await enters(portal, 'before leaving here');
  let page = await b.follow(await b.send('POST', `${portal.base}/saml/leave`, {}));
  check('left here: both said so', page.status === 200 && page.url.startsWith(portal.base) && page.body.split('已退出').length === 3 && !page.body.includes('未能退出'), `${page.status} ${page.url}\n${page.body}`);
  same('left here: out', (await portal.session(b)).status, 401);
  page = await b.open(portal.entry(type));
  check('left here: the peer asks for the password again', /name="password"/.test(page.body), `${page.status} ${page.url}\n${page.body}`);

  ({ browser: b } = await enters(portal, 'before leaving there'));
  const done = `${base}/logout.php`;
  page = await b.open(`${base}/saml2/idp/SingleLogoutService.php?ReturnTo=${encodeURIComponent(done)}`);
  check('left there: the peer took our answer', page.status === 200 && page.url.startsWith(done), `${page.status} ${page.url}\n${page.body}`);
  same('left there: out here', (await portal.session(b)).status, 401);
}

run('SimpleSAMLphp as identity provider', async () => {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const certs = configure(base);
  for (const n of ['one', 'two', 'three']) keyPair(certs, n);
  keys('one');
  fs.writeFileSync(path.join(work, 'portal.xml'), '<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"/>');
  const metadata = `${base}/saml2/idp/metadata.php`;
  const peer = start('php', ['-S', `127.0.0.1:${port}`, '-t', path.join(work, 'root/usr/share/simplesamlphp/www')], { SIMPLESAMLPHP_CONFIG_DIR: path.join(work, 'config') }, path.join(work, 'peer.log'));
  await ready(metadata, peer);
  const portal = await Portal.start(binary, work);
  const added = await portal.add(metadata, type);
  same('entity', added.entity_id, metadata);
  await takeMetadata(portal, added);
  await entries(portal, added);
  await theirRollover(portal, added);
  await ourRollover(portal, added, base);
  await leaving(portal, base);
  check('the portal says nothing of panics', !/panic/.test(fs.readFileSync(path.join(work, 'portal.log'), 'utf8')));
});
