// Package report is what a run of the benchmarks has measured, beside what is expected.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// Figure is one thing that was measured. Met tells whether it is as expected; nil where nothing was.
type Figure struct {
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	Expected string  `json:"expected,omitempty"`
	Met      *bool   `json:"met,omitempty"`
	Note     string  `json:"note,omitempty"`
}

// Report is what a run has measured.
type Report struct {
	At      time.Time `json:"at"`
	CPUs    int       `json:"cpus"`
	Go      string    `json:"go"`
	Figures []Figure  `json:"figures"`
	out     io.Writer
}

// New makes an empty one, which says each figure on out as it comes.
func New(out io.Writer) *Report {
	return &Report{At: time.Now().UTC().Truncate(time.Second), CPUs: runtime.NumCPU(), Go: runtime.Version(), out: out}
}

// Note adds a figure that nothing is expected of.
func (r *Report) Note(name string, value float64, unit, note string) {
	r.add(Figure{Name: name, Value: value, Unit: unit, Note: note})
}

// AtLeast adds a figure that should be no less.
func (r *Report) AtLeast(name string, value, least float64, unit, note string) {
	met := value >= least
	r.add(Figure{Name: name, Value: value, Unit: unit, Expected: "≥ " + number(least), Met: &met, Note: note})
}

// AtMost adds a figure that should be no more.
func (r *Report) AtMost(name string, value, most float64, unit, note string) {
	met := value <= most
	r.add(Figure{Name: name, Value: value, Unit: unit, Expected: "≤ " + number(most), Met: &met, Note: note})
}

func (r *Report) add(f Figure) {
	r.Figures = append(r.Figures, f)
	fmt.Fprintf(r.out, "  %s: %s %s\n", f.Name, number(f.Value), f.Unit)
}

// Table writes all figures with what was expected beside them.
func (r *Report) Table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "figure\tmeasured\texpected\t\tnote\n")
	for _, f := range r.Figures {
		verdict := ""
		if f.Met != nil {
			verdict = "met"
			if !*f.Met {
				verdict = "MISSED"
			}
		}
		fmt.Fprintf(w, "%s\t%s %s\t%s\t%s\t%s\n", f.Name, number(f.Value), f.Unit, f.Expected, verdict, f.Note)
	}
	return w.Flush()
}

// JSON writes all that is known of the run.
func (r *Report) JSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// number writes a value with as many digits as mean something.
func number(value float64) string {
	switch {
	case value >= 1000:
		digits := fmt.Sprintf("%.0f", value)
		var parts []string
		for len(digits) > 3 {
			parts = append([]string{digits[len(digits)-3:]}, parts...)
			digits = digits[:len(digits)-3]
		}
		return strings.Join(append([]string{digits}, parts...), ",")
	case value >= 10:
		return fmt.Sprintf("%.1f", value)
	}
	return fmt.Sprintf("%.2f", value)
}
