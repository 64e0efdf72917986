package terminal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// ErrStopped ends a command that goes on where it stopped when it is run again.
var ErrStopped = errors.New("stopped before the end; run the same command again and it goes on from here")

// How often progress is shown: often enough on a terminal to be alive, seldom enough elsewhere to be read.
const (
	drawEvery = 100 * time.Millisecond
	lineEvery = 5 * time.Second
	barCells  = 30
)

// Meter shows how much has passed: a bar or a count that is drawn over itself on a terminal, plain lines elsewhere. It is
// used by one goroutine at a time.
type Meter struct {
	out   io.Writer
	drawn bool // on a terminal
	what  string
	total int64 // 0 where it is not known
	done  int64
	shown time.Time
}

// NewMeter begins to count. What is a participle, total how much there will be, in bytes, or zero where that is not known.
func NewMeter(out io.Writer, what string, total int64) *Meter {
	file, ok := out.(*os.File)
	return &Meter{out: out, drawn: ok && Is(file), what: what, total: total, shown: time.Now()}
}

// Write counts what is written.
func (m *Meter) Write(data []byte) (int, error) {
	m.At(m.done+int64(len(data)), m.total)
	return len(data), nil
}

// At says how much is done, of how much, in whatever is counted.
func (m *Meter) At(done, total int64) {
	m.done, m.total = done, total
	every := lineEvery
	if m.drawn {
		every = drawEvery
	}
	if time.Since(m.shown) < every {
		return
	}
	m.shown = time.Now()
	m.show()
}

func (m *Meter) show() {
	const mebi = 1 << 20
	text := fmt.Sprintf("%s %.1f MiB", m.what, float64(m.done)/mebi)
	if m.total > 0 {
		share := min(float64(m.done)/float64(m.total), 1)
		text = fmt.Sprintf("%s %3.0f %%", m.what, share*100)
		if m.drawn {
			full := int(share * barCells)
			text = fmt.Sprintf("%s [%s%s]", text, strings.Repeat("=", full), strings.Repeat(" ", barCells-full))
		}
	}
	if m.drawn {
		fmt.Fprintf(m.out, "\r%s", text)
		return
	}
	fmt.Fprintln(m.out, text)
}

// End leaves the terminal at the beginning of a line.
func (m *Meter) End() {
	if m.drawn {
		m.show()
		fmt.Fprintln(m.out)
	}
}

// Metered is a file that a meter watches being read.
type Metered struct {
	io.ReadSeeker
	Meter *Meter
}

// Read reads and counts.
func (m *Metered) Read(data []byte) (int, error) {
	n, err := m.ReadSeeker.Read(data)
	m.Meter.At(m.Meter.done+int64(n), m.Meter.total)
	return n, err
}
