//go:build linux || darwin

package obs

import "syscall"

// diskOf asks for the bytes of the disk that a folder is on, and for those that are free to us.
func diskOf(dir string) (total, free float64, err error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return 0, 0, err
	}
	return float64(disk.Blocks) * float64(disk.Bsize), float64(disk.Bavail) * float64(disk.Bsize), nil
}
