package main

// chat is whether people can chat.
func chat() board {
	return board{
		uid: "blabber-chat", title: "Chat", description: "Can people chat, and does it feel quick?",
		rows: []row{
			{"Now", []picture{
				{"Servers", "Servers that Prometheus reaches.", "none", number, []query{{`count(up{job="blabber-hive"} == 1)`, ""}}},
				{"Connections", "Open WebSocket connections on all servers.", "none", number, []query{{`blabber:connections:sum`, ""}}},
				{"Acknowledged", "99 of 100 messages were acknowledged within this, over five minutes.", "s", number, []query{{`blabber:message_ack_seconds:p99_5m`, ""}}},
				{"Delivered", "99 of 100 events were handed to people within this, over five minutes.", "s", number, []query{{`blabber:delivery_seconds:p99_5m`, ""}}},
				{"Messages that fail", "The part of messages that servers could not take; their senders try again.", "percentunit", number, []query{{`blabber:message_sends_failed:ratio5m`, ""}}},
			}},
			{"Messages", []picture{
				{"Messages sent", "By what became of them: acked; repeated (it was there already); refused (the sender may not); failed (ours, tried again).", "mps", lines, []query{
					{`sum by (outcome) (rate(blabber_message_sends_total[$__rate_interval]))`, "{{outcome}}"},
				}},
				{"Messages acknowledged and delivered", "Halfway and worst of a hundred. Between the two lies what the sequencer and the bus take.", "s", lines, []query{
					{`blabber:message_ack_seconds:p50_5m`, "ack p50"},
					{`blabber:message_ack_seconds:p99_5m`, "ack p99"},
					{`blabber:delivery_seconds:p50_5m`, "delivery p50"},
					{`blabber:delivery_seconds:p99_5m`, "delivery p99"},
				}},
			}},
			{"How long it takes", []picture{
				{"Acknowledgements", "From when a message came in until it was safe: how many took how long.", "s", heat, []query{
					{`sum by (le) (rate(blabber_message_ack_seconds_bucket[$__rate_interval]))`, "{{le}}"},
				}},
				{"Deliveries", "From when a server took something until each server had handed it to all its connections: how many took how long.", "s", heat, []query{
					{`sum by (le) (rate(blabber_gateway_delivery_seconds_bucket[$__rate_interval]))`, "{{le}}"},
				}},
			}},
			{"People", []picture{
				{"Connections by server", "Open WebSocket connections. A server that stops hands its people to the others.", "none", lines, []query{
					{`blabber_gateway_connections`, "{{instance}}"},
				}},
				{"People coming in", "Connections that signed in and resumed. A jump is everybody coming back after something broke.", "cps", lines, []query{
					{`sum by (instance) (rate(blabber_gateway_ready_total[$__rate_interval]))`, "{{instance}}"},
				}},
				{"Fan-out", "To how many connections of a server an event goes, of those that go to any.", "none", lines, []query{
					{`sum(rate(blabber_gateway_deliveries_total[$__rate_interval])) / sum(rate(blabber_gateway_delivery_seconds_count[$__rate_interval]))`, "connections an event"},
				}},
			}},
			{"What goes wrong", []picture{
				{"Deliveries a second", "Events handed to connections.", "ops", lines, []query{
					{`sum by (instance) (rate(blabber_gateway_deliveries_total[$__rate_interval]))`, "{{instance}}"},
				}},
				{"Slow consumers", "Connections closed because they did not keep up: a bad network, or a server that is too busy.", "cps", lines, []query{
					{`sum by (instance) (rate(blabber_gateway_slow_consumers_total[$__rate_interval]))`, "{{instance}}"},
				}},
				{"Connections closed by us", "By close code (docs/protocol.md).", "cps", lines, []query{
					{`sum by (code) (rate(blabber_gateway_closed_total[$__rate_interval]))`, "{{code}}"},
				}},
			}},
			{"HTTP", []picture{
				{"Requests by status", "Answers of the HTTP interface.", "reqps", lines, []query{
					{`sum by (status) (rate(blabber_http_requests_total[$__rate_interval]))`, "{{status}}"},
				}},
				{"Requests that fail", "5xx: ours.", "reqps", lines, []query{{`blabber:http_requests_failed:rate5m`, "failed"}}},
				{"Time of requests", "The worst of a hundred, by route.", "s", lines, []query{
					{`histogram_quantile(0.99, sum by (le, route) (rate(blabber_http_request_seconds_bucket[$__rate_interval])))`, "{{route}}"},
				}},
			}},
		},
	}
}
