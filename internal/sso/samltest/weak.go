package samltest

import (
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"sync"
)

var small sync.Map

// exponent makes an RSA key of 2048 bits with a small public exponent, which nobody's library makes any more.
func exponent(e int) *rsa.PrivateKey {
	if k, ok := small.Load(e); ok {
		return k.(*rsa.PrivateKey)
	}
	one, pub := big.NewInt(1), big.NewInt(int64(e))
	for {
		p, err1 := rand.Prime(rand.Reader, 1024)
		q, err2 := rand.Prime(rand.Reader, 1024)
		if err1 != nil || err2 != nil {
			panic("no primes")
		}
		n := new(big.Int).Mul(p, q)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(pub, phi)
		if d == nil || n.BitLen() != 2048 {
			continue
		}
		k := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: e}, D: d, Primes: []*big.Int{p, q}}
		k.Precompute()
		small.Store(e, k)
		return k
	}
}
