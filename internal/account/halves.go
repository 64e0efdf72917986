package account

import "sync"

// halves is a bounded map: when the young half is full it becomes the old half, and what was in the old one and not asked
// for since is forgotten. The zero value holds nothing; use newHalves.
type halves[K comparable, V any] struct {
	halfMax int

	mu    sync.Mutex
	young map[K]V
	old   map[K]V
}

func newHalves[K comparable, V any](most int) *halves[K, V] {
	return &halves[K, V]{halfMax: max(most/2, 1), young: map[K]V{}}
}

func (h *halves[K, V]) get(key K) (value V, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.getLocked(key)
}

func (h *halves[K, V]) put(key K, value V) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.putLocked(key, value)
}

func (h *halves[K, V]) getLocked(key K) (value V, known bool) {
	if value, known = h.young[key]; known {
		return value, true
	}
	if value, known = h.old[key]; known {
		h.putLocked(key, value)
	}
	return value, known
}

func (h *halves[K, V]) putLocked(key K, value V) {
	if _, known := h.young[key]; !known && len(h.young) >= h.halfMax {
		h.old, h.young = h.young, make(map[K]V)
	}
	h.young[key] = value
}

// removeLocked forgets what drop says.
func (h *halves[K, V]) removeLocked(drop func(key K, value V) bool) {
	for _, half := range []map[K]V{h.young, h.old} {
		for key, value := range half {
			if drop(key, value) {
				delete(half, key)
			}
		}
	}
}
