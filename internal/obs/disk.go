package obs

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
)

// disk tells of the disk that a folder is on, whenever it is asked.
type disk struct {
	dir         string
	total, free *prometheus.Desc
}

// WatchDisk registers how large the disk of a folder is and how much of it is free. Before the folder is made, as
// ever in a cluster, it is the disk that it would be on. What cannot be asked is left out rather than wrong.
func WatchDisk(registry prometheus.Registerer, dir string) {
	registry.MustRegister(disk{
		dir:   dir,
		total: prometheus.NewDesc("blabber_disk_bytes", "Size of the disk that holds the data folder.", nil, nil),
		free:  prometheus.NewDesc("blabber_disk_free_bytes", "What is free of it for this process.", nil, nil),
	})
}

// Describe implements prometheus.Collector.
func (d disk) Describe(to chan<- *prometheus.Desc) {
	to <- d.total
	to <- d.free
}

// Collect implements prometheus.Collector.
func (d disk) Collect(to chan<- prometheus.Metric) {
	dir := d.dir
	total, free, err := diskOf(dir)
	for errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		total, free, err = diskOf(dir)
	}
	if err != nil {
		return
	}
	to <- prometheus.MustNewConstMetric(d.total, prometheus.GaugeValue, total)
	to <- prometheus.MustNewConstMetric(d.free, prometheus.GaugeValue, free)
}
