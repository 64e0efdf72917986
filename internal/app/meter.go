package app

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// How often progress is shown: often enough on a terminal to be alive, seldom enough elsewhere to be read.
const (
	drawEvery = 100 * time.Millisecond
	lineEvery = 5 * time.Second
	barCells  = 30
)

// meter shows how many bytes have passed: a bar or a count that is drawn over itself on a terminal, plain lines elsewhere.
type meter struct {
	out   io.Writer
	drawn bool // on a terminal
	what  string
	total int64 // 0 where it is not known
	done  int64
	shown time.Time
}

func (p *Process) newMeter(what string, total int64) *meter {
	file, ok := p.Err.(*os.File)
	return &meter{out: p.Err, drawn: ok && term.IsTerminal(int(file.Fd())), what: what, total: total, shown: time.Now()}
}

// Write counts what is written.
func (m *meter) Write(data []byte) (int, error) {
	m.add(len(data))
	return len(data), nil
}

func (m *meter) add(n int) {
	m.done += int64(n)
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

func (m *meter) show() {
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

// end leaves the terminal at the beginning of a line.
func (m *meter) end() {
	if m.drawn {
		m.show()
		fmt.Fprintln(m.out)
	}
}

// metered is a file that a meter watches being read.
type metered struct {
	io.ReadSeeker
	meter *meter
}

// Read reads and counts.
func (m *metered) Read(data []byte) (int, error) {
	n, err := m.ReadSeeker.Read(data)
	m.meter.add(n)
	return n, err
}
