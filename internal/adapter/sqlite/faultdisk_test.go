package sqlite

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// faultDisk is a disk that fails when it is told to. It is a VFS of SQLite's: the system's own, but for writing and
// syncing, which ask it first.
type faultDisk struct {
	name  string
	fault atomic.Int32 // what the disk does now
	syncs atomic.Int64 // that reached it

	base    uintptr // *sqlite3_vfs of the system
	mu      sync.Mutex
	methods map[uintptr]uintptr // the system's method table of a kind of file → ours

	// SQLite holds these as addresses, which the garbage collector does not see.
	open  func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32
	write func(tls *libc.TLS, file, data uintptr, amount int32, offset int64) int32
	sync  func(tls *libc.TLS, file uintptr, flags int32) int32
}

// What a disk may do.
const (
	healthy int32 = iota
	full          // no write finds room
	failing       // no sync succeeds
	broken        // neither
)

func newFaultDisk(t *testing.T) *faultDisk {
	t.Helper()
	tls := libc.NewTLS()
	d := &faultDisk{
		name: "fault-" + strings.ReplaceAll(t.Name(), "/", "-"), base: lib.Xsqlite3_vfs_find(tls, 0), methods: make(map[uintptr]uintptr),
	}
	d.open, d.write, d.sync = d.xOpen, d.xWrite, d.xSync
	name, err := libc.CString(d.name)
	if err != nil {
		t.Fatal(err)
	}
	vfs := clone[lib.Tsqlite3_vfs](tls, d.base)
	at[lib.Tsqlite3_vfs](vfs).FzName = name
	at[lib.Tsqlite3_vfs](vfs).FxOpen = address(&d.open)
	if rc := lib.Xsqlite3_vfs_register(tls, vfs, 0); rc != lib.SQLITE_OK {
		t.Fatalf("register the disk: %d", rc)
	}
	t.Cleanup(func() { // after the store of the test has closed
		lib.Xsqlite3_vfs_unregister(tls, vfs)
		libc.Xfree(tls, vfs)
		libc.Xfree(tls, name)
		for _, table := range d.methods {
			libc.Xfree(tls, table)
		}
		tls.Close()
	})
	return d
}

func (d *faultDisk) xOpen(tls *libc.TLS, _, name, file uintptr, flags int32, out uintptr) int32 {
	rc := function[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](at[lib.Tsqlite3_vfs](d.base).FxOpen)(tls, d.base, name, file, flags, out)
	if opened := at[lib.Tsqlite3_file](file); opened.FpMethods != 0 {
		opened.FpMethods = d.table(tls, opened.FpMethods)
	}
	return rc
}

// table gives our method table for one of the system's.
func (d *faultDisk) table(tls *libc.TLS, system uintptr) uintptr {
	d.mu.Lock()
	defer d.mu.Unlock()
	if ours, ok := d.methods[system]; ok {
		return ours
	}
	ours := clone[lib.Tsqlite3_io_methods](tls, system)
	at[lib.Tsqlite3_io_methods](ours).FxWrite = address(&d.write)
	at[lib.Tsqlite3_io_methods](ours).FxSync = address(&d.sync)
	d.methods[system] = ours
	return ours
}

// system finds the system's table behind a file of ours.
func (d *faultDisk) system(file uintptr) *lib.Tsqlite3_io_methods {
	d.mu.Lock()
	defer d.mu.Unlock()
	for system, ours := range d.methods {
		if ours == at[lib.Tsqlite3_file](file).FpMethods {
			return at[lib.Tsqlite3_io_methods](system)
		}
	}
	return nil
}

func (d *faultDisk) xWrite(tls *libc.TLS, file, data uintptr, amount int32, offset int64) int32 {
	if fault := d.fault.Load(); fault == full || fault == broken {
		return lib.SQLITE_FULL // as the system's VFS says for ENOSPC
	}
	return function[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](d.system(file).FxWrite)(tls, file, data, amount, offset)
}

func (d *faultDisk) xSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	if fault := d.fault.Load(); fault == failing || fault == broken {
		return lib.SQLITE_IOERR_FSYNC
	}
	d.syncs.Add(1)
	return function[func(*libc.TLS, uintptr, int32) int32](d.system(file).FxSync)(tls, file, flags)
}

// SQLite was translated from C: its structs lie outside Go's memory, and its function pointers are those of Go closures.

func at[Struct any](address uintptr) *Struct {
	return *(**Struct)(unsafe.Pointer(&address))
}

func clone[Struct any](tls *libc.TLS, address uintptr) uintptr {
	copied := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(*new(Struct))))
	*at[Struct](copied) = *at[Struct](address)
	return copied
}

func address[Func any](function *Func) uintptr { return *(*uintptr)(unsafe.Pointer(function)) }

func function[Func any](address uintptr) Func { return *(*Func)(unsafe.Pointer(&address)) }
