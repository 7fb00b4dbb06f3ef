package sso

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

const (
	encAES128GCM = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
	encAES256GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	encAES128CBC = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
	encAES256CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
	encOAEPMGF1P = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
	encOAEP      = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
	algSHA1      = "http://www.w3.org/2000/09/xmldsig#sha1"
)

var keySizes = map[string]int{encAES128GCM: 16, encAES256GCM: 32, encAES128CBC: 16, encAES256CBC: 32}

// errDecrypt is the one failure of decryption: a second would be an oracle.
var errDecrypt = errors.New("decryption failed")

// encrypted is the content of an EncryptedAssertion, its algorithms known and allowed.
type encrypted struct {
	method    string
	key, data []byte
	oaep      rsa.OAEPOptions
}

func isGCM(method string) bool { return method == encAES128GCM || method == encAES256GCM }

func encryptionMethod(e *etree.Element) string {
	return attr(childOf(childOf(e, nsEnc, "EncryptedData"), nsEnc, "EncryptionMethod"), "Algorithm")
}

// readEncrypted takes AES in GCM and CBC, and keys wrapped by OAEP; PKCS #1 v1.5 and 3DES are refused by name.
func readEncrypted(e *etree.Element) (encrypted, *Refusal) {
	data := childOf(e, nsEnc, "EncryptedData")
	method := encryptionMethod(e)
	if keySizes[method] == 0 {
		return encrypted{}, &Refusal{Code: CodeEncAlg, Expected: "AES-128/256-GCM, AES-128/256-CBC", Seen: shorten(method)}
	}
	wrapped := childOf(childOf(data, nsDSig, "KeyInfo"), nsEnc, "EncryptedKey")
	if wrapped == nil {
		wrapped = childOf(e, nsEnc, "EncryptedKey")
	}
	keyMethod := childOf(wrapped, nsEnc, "EncryptionMethod")
	opts, r := oaepOptions(keyMethod)
	if r != nil {
		return encrypted{}, r
	}
	out := encrypted{method: method, oaep: opts}
	var ok1, ok2 bool
	out.key, ok1 = cipherValue(wrapped)
	out.data, ok2 = cipherValue(data)
	if !ok1 || !ok2 {
		return encrypted{}, &Refusal{Code: CodeEncFailed}
	}
	return out, nil
}

func oaepOptions(method *etree.Element) (rsa.OAEPOptions, *Refusal) {
	hashes := map[string]crypto.Hash{"": crypto.SHA1, algSHA1: crypto.SHA1, algSHA256: crypto.SHA256, algSHA384: crypto.SHA384, algSHA512: crypto.SHA512}
	masks := map[string]crypto.Hash{"": crypto.SHA1, "http://www.w3.org/2009/xmlenc11#mgf1sha1": crypto.SHA1,
		"http://www.w3.org/2009/xmlenc11#mgf1sha256": crypto.SHA256, "http://www.w3.org/2009/xmlenc11#mgf1sha384": crypto.SHA384,
		"http://www.w3.org/2009/xmlenc11#mgf1sha512": crypto.SHA512}
	alg := attr(method, "Algorithm")
	digest, known := hashes[attr(childOf(method, nsDSig, "DigestMethod"), "Algorithm")]
	mask := crypto.SHA1
	if alg == encOAEP {
		m, ok := masks[attr(childOf(method, nsEnc11, "MGF"), "Algorithm")]
		mask, known = m, known && ok
	}
	if !known || alg != encOAEP && alg != encOAEPMGF1P || childOf(method, nsEnc, "OAEPparams") != nil {
		return rsa.OAEPOptions{}, &Refusal{Code: CodeEncAlg, Expected: "rsa-oaep-mgf1p, rsa-oaep", Seen: shorten(alg)}
	}
	return rsa.OAEPOptions{Hash: digest, MGFHash: mask}, nil
}

func cipherValue(e *etree.Element) ([]byte, bool) {
	text := textOf(childOf(childOf(e, nsEnc, "CipherData"), nsEnc, "CipherValue"))
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(text), ""))
	return raw, err == nil && len(raw) > 0
}

// decrypt tries every key of ours that may decrypt.
func (c encrypted) decrypt(keys []Key) ([]byte, error) {
	for _, k := range keys {
		if k.Use != KeyUseDecrypt || k.State == KeyStateRetired || k.Private == nil {
			continue
		}
		secret, err := k.Private.Decrypt(nil, c.key, &c.oaep)
		if err != nil || len(secret) != keySizes[c.method] {
			continue
		}
		if plain, err := open(c.method, secret, c.data); err == nil {
			return plain, nil
		}
	}
	return nil, errDecrypt
}

func open(method string, key, data []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errDecrypt
	}
	if isGCM(method) {
		gcm, err := cipher.NewGCM(block)
		if err != nil || len(data) < gcm.NonceSize()+gcm.Overhead() {
			return nil, errDecrypt
		}
		plain, err := gcm.Open(nil, data[:gcm.NonceSize()], data[gcm.NonceSize():], nil)
		if err != nil {
			return nil, errDecrypt
		}
		return plain, nil
	}
	if len(data) < 2*aes.BlockSize || len(data)%aes.BlockSize != 0 {
		return nil, errDecrypt
	}
	plain := make([]byte, len(data)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, data[:aes.BlockSize]).CryptBlocks(plain, data[aes.BlockSize:])
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > aes.BlockSize {
		return nil, errDecrypt
	}
	return plain[:len(plain)-pad], nil
}

// seal encrypts; the counterpart of open.
func seal(method string, key, plain []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if isGCM(method) {
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		nonce := random(gcm.NonceSize())
		return gcm.Seal(nonce, nonce, plain, nil), nil
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	padded := append(slices.Clone(plain), random(pad)...)
	padded[len(padded)-1] = byte(pad)
	iv := random(aes.BlockSize)
	out := make([]byte, len(padded))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, padded)
	return append(iv, out...), nil
}

// Wrap says how an encrypted element is made.
type Wrap struct {
	Method string // of the content
	Key    string // of its key: rsa-oaep-mgf1p or the rsa-oaep of 2009
	Digest string // of OAEP; with rsa-oaep the mask uses the same
}

// wrapFor chooses the best cipher the other side lists; the older CBC when it lists none at all.
func wrapFor(ciphers []string) Wrap {
	w := Wrap{Method: encAES256CBC, Key: encOAEPMGF1P, Digest: algSHA1}
	for _, m := range []string{encAES256GCM, encAES128GCM, encAES256CBC, encAES128CBC} {
		if slices.Contains(ciphers, m) {
			w.Method = m
			break
		}
	}
	return w
}

// encrypt makes the EncryptedAssertion of a serialised assertion.
func encrypt(plain []byte, pub *rsa.PublicKey, certDER []byte, w Wrap) (*etree.Element, error) {
	secret := random(keySizes[w.Method])
	body, err := seal(w.Method, secret, plain)
	if err != nil {
		return nil, err
	}
	digest, known := map[string]crypto.Hash{algSHA1: crypto.SHA1, algSHA256: crypto.SHA256, algSHA512: crypto.SHA512}[w.Digest]
	if !known {
		return nil, errors.New("unknown digest for OAEP")
	}
	mask := crypto.SHA1
	if w.Key == encOAEP {
		mask = digest
	}
	key, err := rsa.EncryptOAEPWithOptions(rand.Reader, pub, secret, &rsa.OAEPOptions{Hash: digest, MGFHash: mask})
	if err != nil {
		return nil, err
	}
	root := element("saml:EncryptedAssertion", "xmlns:saml", nsAssertion)
	data := add(root, "xenc:EncryptedData", "xmlns:xenc", nsEnc, "Type", nsEnc+"Element", "Id", NewMessageID())
	add(data, "xenc:EncryptionMethod", "Algorithm", w.Method)
	info := add(data, "ds:KeyInfo", "xmlns:ds", nsDSig)
	wrapped := add(info, "xenc:EncryptedKey", "Id", NewMessageID())
	method := add(wrapped, "xenc:EncryptionMethod", "Algorithm", w.Key)
	add(method, "ds:DigestMethod", "Algorithm", w.Digest)
	if w.Key == encOAEP {
		name := map[string]string{algSHA1: "mgf1sha1", algSHA256: "mgf1sha256", algSHA512: "mgf1sha512"}[w.Digest]
		add(method, "xenc11:MGF", "xmlns:xenc11", nsEnc11, "Algorithm", nsEnc11+name)
	}
	if len(certDER) > 0 {
		add(add(add(wrapped, "ds:KeyInfo"), "ds:X509Data"), "ds:X509Certificate").SetText(base64.StdEncoding.EncodeToString(certDER))
	}
	add(add(wrapped, "xenc:CipherData"), "xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(key))
	add(add(data, "xenc:CipherData"), "xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(body))
	return root, nil
}

// element and add build XML; pairs are attribute names and values.
func element(name string, pairs ...string) *etree.Element {
	e := etree.NewElement(name)
	for i := 0; i+1 < len(pairs); i += 2 {
		e.CreateAttr(pairs[i], pairs[i+1])
	}
	return e
}

func add(parent *etree.Element, name string, pairs ...string) *etree.Element {
	e := element(name, pairs...)
	parent.AddChild(e)
	return e
}
