package cluster

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Histogram is how many observations were at most so many seconds, by that bound.
type Histogram map[float64]float64

// Histograms are those of some servers together, by name; of all labels.
type Histograms map[string]Histogram

// Add adds those of one server, of its page of metrics.
func (h Histograms) Add(page string) {
	for line := range strings.Lines(page) {
		name, rest, found := strings.Cut(strings.TrimSpace(line), "_bucket{")
		_, bound, bounded := strings.Cut(rest, `le="`)
		bound, count, ended := strings.Cut(bound, `"} `)
		if !found || !bounded || !ended {
			continue
		}
		at, errAt := strconv.ParseFloat(bound, 64)
		n, errN := strconv.ParseFloat(count, 64)
		if errAt != nil || errN != nil {
			continue
		}
		if h[name] == nil {
			h[name] = make(Histogram)
		}
		h[name][at] += n
	}
}

// Since is what was observed after an earlier reading.
func (h Histograms) Since(before Histograms, name string) Histogram {
	counts := maps.Clone(h[name])
	for at, n := range before[name] {
		counts[at] -= n
	}
	return counts
}

// Quantile is where that part of the observations ends, by a straight line within its bucket.
func (h Histogram) Quantile(q float64) time.Duration {
	rank := q * h[math.Inf(1)]
	var low, below float64
	for _, bound := range slices.Sorted(maps.Keys(h)) {
		if h[bound] >= rank && h[bound] > below {
			if math.IsInf(bound, 1) {
				bound = low
			}
			return time.Duration((low + (bound-low)*(rank-below)/(h[bound]-below)) * float64(time.Second))
		}
		low, below = bound, h[bound]
	}
	return 0
}
