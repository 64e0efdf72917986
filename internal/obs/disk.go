package obs

import "github.com/prometheus/client_golang/prometheus"

// disk tells of the disk that a folder is on, whenever it is asked.
type disk struct {
	dir         string
	total, free *prometheus.Desc
}

// WatchDisk registers how large the disk of a folder is and how much of it is free. While the folder cannot be asked, as
// before it is made, both are left out rather than wrong.
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
	total, free, err := diskOf(d.dir)
	if err != nil {
		return
	}
	to <- prometheus.MustNewConstMetric(d.total, prometheus.GaugeValue, total)
	to <- prometheus.MustNewConstMetric(d.free, prometheus.GaugeValue, free)
}
