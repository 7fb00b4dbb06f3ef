package samltest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"

	"github.com/beevik/etree"
)

// Ciphers that appear in tests.
const (
	AES128GCM = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
	AES256GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	AES128CBC = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
	AES256CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
	TripleDES = "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"
	OAEPMGF1P = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
	OAEP2009  = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
	RSA15     = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"
)

// Encryption says how an assertion is encrypted.
type Encryption struct {
	To      *rsa.PublicKey
	Method  string // "": AES-256-GCM
	Key     string // "": rsa-oaep-mgf1p; the one of 2009 is used with SHA-256 for both
	Garbage []byte // instead of the cipher text
	Beside  bool   // the EncryptedKey stands beside the EncryptedData
}

func (e Encryption) seal(plain []byte) *etree.Element {
	method, wrap := e.Method, e.Key
	if method == "" {
		method = AES256GCM
	}
	if wrap == "" {
		wrap = OAEPMGF1P
	}
	secret := make([]byte, map[string]int{AES128GCM: 16, AES256GCM: 32, AES128CBC: 16, AES256CBC: 32, TripleDES: 24}[method])
	rand.Read(secret)
	body := e.Garbage
	if body == nil {
		body = sealWith(method, secret, plain)
	}
	root := set(etree.NewElement("saml:EncryptedAssertion"), "xmlns:saml", NSAssertion)
	data := set(root.CreateElement("xenc:EncryptedData"), "xmlns:xenc", NSEnc, "Type", NSEnc+"Element")
	set(data.CreateElement("xenc:EncryptionMethod"), "Algorithm", method)
	key := etree.NewElement("xenc:EncryptedKey")
	set(key, "xmlns:xenc", NSEnc)
	how := set(key.CreateElement("xenc:EncryptionMethod"), "Algorithm", wrap)
	var wrapped []byte
	var err error
	switch wrap {
	case RSA15:
		//lint:ignore SA1019 the attack is that somebody still does
		wrapped, err = rsa.EncryptPKCS1v15(rand.Reader, e.To, secret)
	case OAEP2009:
		set(how.CreateElement("ds:DigestMethod"), "xmlns:ds", NSDSig, "Algorithm", SHA256)
		set(how.CreateElement("xenc11:MGF"), "xmlns:xenc11", "http://www.w3.org/2009/xmlenc11#", "Algorithm", "http://www.w3.org/2009/xmlenc11#mgf1sha256")
		wrapped, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, e.To, secret, nil)
	default:
		set(how.CreateElement("ds:DigestMethod"), "xmlns:ds", NSDSig, "Algorithm", SHA1)
		wrapped, err = rsa.EncryptOAEP(sha1.New(), rand.Reader, e.To, secret, nil)
	}
	if err != nil {
		panic(err)
	}
	key.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(wrapped))
	if e.Beside {
		data.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(body))
		root.AddChild(key)
		return root
	}
	set(data.CreateElement("ds:KeyInfo"), "xmlns:ds", NSDSig).AddChild(key)
	data.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(body))
	return root
}

func sealWith(method string, secret, plain []byte) []byte {
	if method == AES128GCM || method == AES256GCM {
		block, err := aes.NewCipher(secret)
		if err != nil {
			panic(err)
		}
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			panic(err)
		}
		nonce := make([]byte, gcm.NonceSize())
		rand.Read(nonce)
		return gcm.Seal(nonce, nonce, plain, nil)
	}
	block, err := aes.NewCipher(secret)
	if method == TripleDES {
		block, err = des.NewTripleDESCipher(secret)
	}
	if err != nil {
		panic(err)
	}
	size := block.BlockSize()
	pad := size - len(plain)%size
	for range pad {
		plain = append(plain, byte(pad))
	}
	iv := make([]byte, size)
	rand.Read(iv)
	out := make([]byte, len(plain))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, plain)
	return append(iv, out...)
}

// Seal encrypts any text as an EncryptedAssertion.
func (e Encryption) Seal(plain []byte) *etree.Element { return e.seal(plain) }

// assertionBytes writes an assertion so that it reads alone.
func assertionBytes(assertion, _ *etree.Element) []byte { return Text(alone(assertion)) }
