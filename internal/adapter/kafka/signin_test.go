package kafka_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/obs"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	var der []byte
	a.key, der = a.make(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tests"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil)
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.file = a.write("ca.pem", "CERTIFICATE", der)
	return a
}

func (a *authority) make(template, parent *x509.Certificate) (*ecdsa.PrivateKey, []byte) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	signer := a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, der
}

func (a *authority) write(name, kind string, der []byte) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// issue makes a certificate and its key, as files.
func (a *authority) issue(name string) (certFile, keyFile string) {
	a.t.Helper()
	key, der := a.make(&x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".pem", "CERTIFICATE", der), a.write(name+".key", "PRIVATE KEY", secret)
}

func (a *authority) server() *tls.Config {
	a.t.Helper()
	cert, key := a.issue("broker")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		a.t.Fatal(err)
	}
	known := x509.NewCertPool()
	known.AddCert(a.cert)
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: known}
}

// Promise: connections are encrypted and both ends know each other; who lacks the certificate or the authority gets nowhere.
func TestTLS(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	o := fakeOptions(t, fake(t, kfake.TLS(ours.server())))
	cert, key := ours.issue("client")
	o.TLS = kafka.TLS{Enabled: true, CAFile: ours.file, CertFile: cert, KeyFile: key}
	if err := hear(t, say(t, open(t, o), 0)); err != nil {
		t.Errorf("over TLS the sender was told %v", err)
	}
	for name, wrong := range map[string]kafka.TLS{
		"no certificate":    {Enabled: true, CAFile: ours.file},
		"another authority": {Enabled: true, CAFile: newAuthority(t).file, CertFile: cert, KeyFile: key},
		"another name":      {Enabled: true, CAFile: ours.file, CertFile: cert, KeyFile: key, ServerName: "elsewhere.example"},
		"no TLS":            {},
	} {
		o.TLS = wrong
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		if err := kafka.Migrate(ctx, o); err == nil {
			t.Errorf("with %s it works", name)
		}
		cancel()
	}
}

// Promise: each way of signing in works with the right password and with no other.
func TestSASL(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{kafka.SASLPlain, kafka.SASLScramSHA256, kafka.SASLScramSHA512} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			o := fakeOptions(t, fake(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "hive", "honey")))
			o.SASL = kafka.SASL{Mechanism: mechanism, User: "hive", Password: obs.NewSecret("honey")}
			if err := hear(t, say(t, open(t, o), 0)); err != nil {
				t.Errorf("signed in, the sender was told %v", err)
			}
			o.SASL.Password = obs.NewSecret("wax")
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			if err := kafka.Migrate(ctx, o); err == nil {
				t.Error("with the wrong password it works")
			}
		})
	}
}

// Promise: settings that contradict each other are refused with a sentence, before anything is asked of a broker.
func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken.pem")
	if err := os.WriteFile(broken, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*kafka.Options){
		"no Kafka broker":      func(o *kafka.Options) { o.Brokers = nil },
		"TLS is off":           func(o *kafka.Options) { o.TLS.CAFile = broken },
		"holds no certificate": func(o *kafka.Options) { o.TLS = kafka.TLS{Enabled: true, CAFile: broken} },
		"needs its key":        func(o *kafka.Options) { o.TLS = kafka.TLS{Enabled: true, CertFile: broken} },
		"no SASL mechanism":    func(o *kafka.Options) { o.SASL.User = "hive" },
		`"GUESS" is not known`: func(o *kafka.Options) { o.SASL.Mechanism = "GUESS" },
		"no such file":         func(o *kafka.Options) { o.TLS = kafka.TLS{Enabled: true, CAFile: broken + "x"} },
		"read our certificate": func(o *kafka.Options) { o.TLS = kafka.TLS{Enabled: true, CertFile: broken, KeyFile: broken} },
	} {
		o := optionsAt(t, "127.0.0.1:1", "", 1)
		change(&o)
		_, err := kafka.Open(t.Context(), o)
		refused(t, err, want)
	}
}
