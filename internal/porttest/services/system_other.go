//go:build !linux

package services

import (
	"errors"
	"os"
	"syscall"
)

const (
	sigStop     = syscall.SIGTERM
	sigContinue = syscall.SIGTERM
)

var errLinuxOnly = errors.New("services are started on Linux only: set DATABASE_URL, REDIS_URL and KAFKA_BROKER_URL to running ones")

type account struct{}

func unprivileged() (*account, error)                        { return nil, errLinuxOnly }
func attributes(*account) (*syscall.SysProcAttr, error)      { return nil, errLinuxOnly }
func descendants(int) []int                                  { return nil }
func kill(int, syscall.Signal)                               {}
func awaitDeath(int)                                         {}
func lockFile(string) (file *os.File, taken bool, err error) { return nil, false, errLinuxOnly }
func waitForLock(string) (*os.File, error)                   { return nil, errLinuxOnly }
