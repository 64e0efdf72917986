package main

// runtime is what Go and the system say of the servers.
func runtime() board {
	return board{
		uid: "blabber-runtime", title: "Go runtime", description: "What the servers take of their machines.",
		rows: []row{
			{"Process", []picture{
				{"Up since", "How long each server has run.", "s", lines, []query{{`time() - process_start_time_seconds{job="blabber-hive"}`, "{{instance}}"}}},
				{"Version", "Which versions run, and on how many servers.", "none", lines, []query{{`count by (version, go_version) (blabber_hive_build_info)`, "{{version}} {{go_version}}"}}},
				{"Processor", "Cores in use.", "none", lines, []query{{`rate(process_cpu_seconds_total{job="blabber-hive"}[$__rate_interval])`, "{{instance}}"}}},
				{"Memory", "Resident, as the system counts it.", "bytes", lines, []query{{`process_resident_memory_bytes{job="blabber-hive"}`, "{{instance}}"}}},
				{"Open files", "Of those that it may have open. Each connection is one.", "percentunit", lines, []query{{`instance:open_files:ratio`, "{{instance}}"}}},
				{"Threads", "Of the system.", "none", lines, []query{{`go_threads{job="blabber-hive"}`, "{{instance}}"}}},
			}},
			{"Go", []picture{
				{"Goroutines", "A steady climb with a steady number of connections is a leak.", "none", lines, []query{{`go_goroutines{job="blabber-hive"}`, "{{instance}}"}}},
				{"Heap", "Objects that are reachable, or not collected yet.", "bytes", lines, []query{{`go_memstats_heap_alloc_bytes{job="blabber-hive"}`, "{{instance}}"}}},
				{"Allocated", "Bytes allocated a second.", "Bps", lines, []query{{`rate(go_memstats_alloc_bytes_total{job="blabber-hive"}[$__rate_interval])`, "{{instance}}"}}},
				{"Pauses", "The longest recent stop of the garbage collector.", "s", lines, []query{{`go_gc_duration_seconds{job="blabber-hive", quantile="1"}`, "{{instance}}"}}},
				{"Collections", "Runs of the garbage collector a second.", "ops", lines, []query{{`rate(go_gc_duration_seconds_count{job="blabber-hive"}[$__rate_interval])`, "{{instance}}"}}},
				{"Next collection", "The size of the heap at which it runs next; GOMEMLIMIT bounds it.", "bytes", lines, []query{{`go_memstats_next_gc_bytes{job="blabber-hive"}`, "{{instance}}"}}},
			}},
		},
	}
}
