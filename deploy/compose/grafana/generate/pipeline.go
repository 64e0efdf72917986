package main

// pipeline is where a message is on its way, and where it is stuck.
func pipeline() board {
	return board{
		uid: "blabber-pipeline", title: "Pipeline", description: "From the log by the sequencer to the store and to the bus: where is it stuck?",
		rows: []row{
			{"Lag", []picture{
				{"Log lag", "Records that are acknowledged and not numbered yet, by partition. People wait for these.", "none", lines, []query{
					{`max by (partition) (blabber_kafka_lag_records{reader="live"})`, "{{partition}}"},
				}},
				{"Store lag", "Records that are not stored yet, by partition. They are safe in the log.", "none", lines, []query{
					{`max by (partition) (blabber_kafka_lag_records{reader="stored"})`, "{{partition}}"},
				}},
				{"Announced and not stored", "Events that people have seen and PostgreSQL has not, by partition.", "none", lines, []query{
					{`max by (partition) (blabber_sequencer_store_lag_records)`, "{{partition}}"},
				}},
			}},
			{"Log", []picture{
				{"Log: acks", "Time until Kafka has a record on all replicas in sync.", "s", lines, []query{
					{`histogram_quantile(0.5, sum by (le) (rate(blabber_kafka_produce_seconds_bucket{outcome="acked"}[$__rate_interval])))`, "p50"},
					{`histogram_quantile(0.99, sum by (le) (rate(blabber_kafka_produce_seconds_bucket{outcome="acked"}[$__rate_interval])))`, "p99"},
				}},
				{"Log: records", "Records appended, by what became of them.", "ops", lines, []query{
					{`sum by (outcome) (rate(blabber_kafka_produce_seconds_count[$__rate_interval]))`, "{{outcome}}"},
				}},
				{"Log: waiting", "Records that wait for their acknowledgement.", "none", lines, []query{{`blabber_kafka_buffered_records`, "{{instance}}"}}},
			}},
			{"Sequencer", []picture{
				{"Until numbered", "From when a server took something until it was numbered and about to be published.", "s", lines, []query{
					{`histogram_quantile(0.5, sum by (le) (rate(blabber_sequencer_numbered_seconds_bucket[$__rate_interval])))`, "p50"},
					{`histogram_quantile(0.99, sum by (le) (rate(blabber_sequencer_numbered_seconds_bucket[$__rate_interval])))`, "p99"},
				}},
				{"Publishing", "Time to hand the events of one run to the bus.", "s", lines, []query{
					{`histogram_quantile(0.5, sum by (le) (rate(blabber_sequencer_publish_seconds_bucket[$__rate_interval])))`, "p50"},
					{`histogram_quantile(0.99, sum by (le) (rate(blabber_sequencer_publish_seconds_bucket[$__rate_interval])))`, "p99"},
				}},
				{"Partitions by server", "Who numbers how many. Together they stay the same.", "none", lines, []query{
					{`blabber_kafka_owned_partitions`, "{{instance}}"},
					{`blabber:owned_partitions:count`, "all"},
				}},
				{"Holds and voids", "Rooms that had to wait for the store before their events were published, and numbers given up for repeats.", "ops", lines, []query{
					{`sum(rate(blabber_sequencer_holds_total[$__rate_interval]))`, "holds"},
					{`sum(rate(blabber_sequencer_voids_total[$__rate_interval]))`, "voids"},
				}},
				{"Room changes", "Records that were taken from the database's outbox to the log, by what became of them.", "ops", lines, []query{
					{`sum by (outcome) (rate(blabber_room_relayed_total[$__rate_interval]))`, "{{outcome}}"},
				}},
				{"Refused", "Records that the store could not take, or that were refused after their acknowledgement. Always 0.", "ops", lines, []query{
					{`sum by (instance) (rate(blabber_sequencer_refused_total[$__rate_interval]))`, "{{instance}}"},
				}},
			}},
			{"Store", []picture{
				{"Batches: time", "Time to store a batch: how many took how long.", "s", heat, []query{
					{`sum by (le) (rate(blabber_sequencer_commit_seconds_bucket{outcome="stored"}[$__rate_interval]))`, "{{le}}"},
				}},
				{"Batches: worst", "The worst of a hundred batches, over five minutes.", "s", lines, []query{{`blabber:commit_seconds:p99_5m`, "p99"}}},
				{"Batches: size", "Events in one transaction. It grows with what is said.", "none", lines, []query{
					{`sum(rate(blabber_sequencer_batch_events_sum[$__rate_interval])) / sum(rate(blabber_sequencer_batch_events_count[$__rate_interval]))`, "events"},
				}},
				{"Stored", "Events stored a second.", "ops", lines, []query{{`sum by (instance) (rate(blabber_sequencer_batch_events_sum[$__rate_interval]))`, "{{instance}}"}}},
				{"Batches that failed", "They are tried again. While PostgreSQL is away, all do.", "ops", lines, []query{
					{`sum by (instance) (rate(blabber_sequencer_commit_seconds_count{outcome="failed"}[$__rate_interval]))`, "{{instance}}"},
				}},
				{"Commits of a server alone", "Time until the disk has a transaction, the worst of a hundred. A cluster has none.", "s", lines, []query{
					{`histogram_quantile(0.99, sum by (le, instance) (rate(blabber_store_commit_seconds_bucket[$__rate_interval])))`, "{{instance}}"},
				}},
			}},
			{"Bus", []picture{
				{"Bus: heard", "1 while a server hears the bus.", "none", lines, []query{{`blabber_gateway_bus_up`, "{{instance}}"}}},
				{"Bus: lost", "What the bus did not take, what servers were too busy to hear, and lost connections with subscriptions. What is lost is fetched.", "ops", lines, []query{
					{`sum(rate(blabber_redis_unpublished_total[$__rate_interval]))`, "not taken"},
					{`sum(rate(blabber_redis_dropped_total[$__rate_interval]))`, "not heard"},
					{`sum(rate(blabber_redis_subscriptions_lost_total[$__rate_interval]))`, "subscriptions"},
				}},
				{"Repairs", "Holes that were filled from the store.", "ops", lines, []query{{`blabber:repairs:rate5m`, "repairs"}}},
			}},
			{"Dead letters, disks and databases", []picture{
				{"Dead letters", "Records that could not be read, in an hour, and those that could not be put aside either.", "none", lines, []query{
					{`sum(increase(blabber_kafka_dead_letters_total[1h]))`, "dead letters"},
					{`sum(increase(blabber_kafka_dead_letters_unsent_total[1h]))`, "unsent"},
				}},
				{"Replicas that lack", "Partitions of Kafka with fewer replicas in sync than they should have.", "none", lines, []query{
					{`sum(kafka_topic_partition_under_replicated_partition)`, "under-replicated"},
				}},
				{"Disk of the data folder", "What is free of it.", "percentunit", lines, []query{{`instance:disk_free:ratio`, "{{instance}}"}}},
				{"Disks of machines", "What is free of each, where there is a node exporter.", "percentunit", lines, []query{{`instance:filesystem_free:ratio`, "{{instance}} {{mountpoint}}"}}},
				{"PostgreSQL: connections", "By what they do, and how many there can be.", "none", lines, []query{
					{`sum by (state) (pg_stat_activity_count)`, "{{state}}"},
					{`max(pg_settings_max_connections)`, "at most"},
				}},
				{"Redis: memory", "What it uses.", "bytes", lines, []query{{`redis_memory_used_bytes`, "{{instance}}"}}},
			}},
		},
	}
}
