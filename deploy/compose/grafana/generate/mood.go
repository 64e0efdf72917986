package main

// mood is the reading of moods: the servers' side and the model server's.
func mood() board {
	return board{
		uid: "blabber-mood", title: "Mood", description: "How texts sound: are they read, how far behind, how long does the model take?",
		rows: []row{
			{"Reading", []picture{
				{"Behind", "What was said and not looked at yet. Every server says the same.", "none", lines, []query{{`blabber:mood_behind_records:max`, "records"}}},
				{"Texts", "By what became of them: read, repeated (read before), unwanted (the room's mood is off), unreadable, refused (the message is gone).", "ops", lines, []query{
					{`sum by (outcome) (rate(blabber_mood_texts_total[$__rate_interval]))`, "{{outcome}}"},
				}},
				{"Failures", "Attempts that failed and are made again, by what was away.", "ops", lines, []query{
					{`sum by (for) (rate(blabber_mood_retries_total[$__rate_interval]))`, "{{for}}"},
				}},
			}},
			{"Model, as servers see it", []picture{
				{"Time of the model", "How long a batch of texts took: how many took how long.", "s", heat, []query{
					{`sum by (le) (rate(blabber_mood_model_seconds_bucket{outcome="answered"}[$__rate_interval]))`, "{{le}}"},
				}},
				{"Left alone", "1 while a server leaves the model server alone because it fails again and again.", "none", lines, []query{
					{`blabber_mood_breaker_open`, "{{instance}}"},
				}},
			}},
			{"Model server", []picture{
				{"Ready", "1 once the model is loaded.", "none", lines, []query{{`sentiment_ready`, "{{instance}}"}}},
				{"Texts waiting", "Texts that wait for the model.", "none", lines, []query{{`sentiment_queue_texts`, "{{instance}}"}}},
				{"Texts read", "By the model, a second.", "ops", lines, []query{{`sum by (instance) (rate(sentiment_texts_total[$__rate_interval]))`, "{{instance}}"}}},
				{"Requests", "By route and status.", "reqps", lines, []query{
					{`sum by (route, status) (rate(sentiment_requests_total[$__rate_interval]))`, "{{route}} {{status}}"},
				}},
				{"Time in the model", "The worst of a hundred batches.", "s", lines, []query{
					{`histogram_quantile(0.99, sum by (le, instance) (rate(sentiment_inference_seconds_bucket[$__rate_interval])))`, "{{instance}}"},
				}},
				{"Batches", "Texts read at once, on average.", "none", lines, []query{
					{`sum by (instance) (rate(sentiment_batch_texts_sum[$__rate_interval])) / sum by (instance) (rate(sentiment_batch_texts_count[$__rate_interval]))`, "{{instance}}"},
				}},
				{"Memory of the model server", "Resident.", "bytes", lines, []query{{`process_resident_memory_bytes{job="sentiment"}`, "{{instance}}"}}},
				{"Processor of the model server", "Cores in use.", "none", lines, []query{{`rate(process_cpu_seconds_total{job="sentiment"}[$__rate_interval])`, "{{instance}}"}}},
			}},
		},
	}
}
