//go:build !linux && !darwin

package obs

import "errors"

func diskOf(string) (total, free float64, err error) { return 0, 0, errors.ErrUnsupported }
