package strictjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// bufferBytesKept is the largest buffer that is kept for the next answer.
const bufferBytesKept = 1 << 20

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Write encodes a value and writes all of it at once, or nothing where it cannot be encoded. That the reader has gone is
// nobody's failure.
func Write(w io.Writer, value any) error {
	buffer, ok := buffers.Get().(*bytes.Buffer)
	if !ok {
		buffer = new(bytes.Buffer)
	}
	defer func() {
		if buffer.Cap() <= bufferBytesKept {
			buffer.Reset()
			buffers.Put(buffer)
		}
	}()
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false) // what is served as JSON is never taken for HTML: nosniff
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("encode %T: %w", value, err)
	}
	_, _ = w.Write(buffer.Bytes())
	return nil
}
