package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// board is a dashboard: rows of pictures.
type board struct {
	uid, title, description string
	rows                    []row
}

type row struct {
	title    string
	pictures []picture
}

// picture is a panel.
type picture struct {
	title       string
	description string
	unit        string // as Grafana calls it
	shape       shape
	queries     []query
}

// query is what Prometheus is asked, and what its answer is called; labels stand in braces: {{instance}}.
type query struct{ expr, legend string }

// shape is how a picture is drawn.
type shape int

const (
	lines shape = iota
	heat        // buckets of a histogram
	number
)

// source is the data source that provisioning makes.
const source = "prometheus"

const (
	width       = 24 // of Grafana's grid
	panelHeight = 8
	numberTall  = 4
)

// json is the dashboard as Grafana reads it.
func (b board) json() ([]byte, error) {
	built := dashboard.NewDashboardBuilder(b.title). //nolint:staticcheck // what Grafana 12 provisions from files; its successor is for its API
								Uid(b.uid).Description(b.description).Tags([]string{"blabber-hive"}).
								Time("now-1h", "now").Refresh("30s").Timezone("browser").Tooltip(dashboard.DashboardCursorSyncCrosshair)
	var id uint32
	for _, r := range b.rows {
		id++
		built.WithRow(dashboard.NewRowBuilder(r.title).Id(id))
		for _, p := range r.pictures {
			id++
			built.WithPanel(p.panel(id, uint32(len(r.pictures)))) //nolint:gosec // a handful
		}
	}
	made, err := built.Build()
	if err != nil {
		return nil, fmt.Errorf("build the dashboard %s: %w", b.title, err)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // for people who read it
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(made); err != nil {
		return nil, fmt.Errorf("encode the dashboard %s: %w", b.title, err)
	}
	return out.Bytes(), nil
}

// panel is the picture under a number, as one of so many in its row.
func (p picture) panel(id uint32, beside uint32) cog.Builder[dashboard.Panel] {
	span := width / max(2, min(beside, 3))
	kind, uid := "prometheus", source
	from := common.DataSourceRef{Type: &kind, Uid: &uid}
	var targets []cog.Builder[variants.Dataquery]
	for i, q := range p.queries {
		target := prometheus.NewDataqueryBuilder().Expr(q.expr).LegendFormat(q.legend).RefId(string(rune('A' + i))).Datasource(from)
		switch p.shape {
		case heat:
			target.Format(prometheus.PromQueryFormatHeatmap).Range()
		case number:
			target.Instant()
		case lines:
			target.Range()
		}
		targets = append(targets, target)
	}
	switch p.shape {
	case heat:
		return heatmap.NewPanelBuilder().Id(id).Title(p.title).Description(p.description).Datasource(from).Targets(targets).
			Unit(p.unit).Span(span).Height(panelHeight).Calculate(false).
			YAxis(heatmap.NewYAxisConfigBuilder().Unit(p.unit)).
			Color(heatmap.NewHeatmapColorOptionsBuilder().Mode(heatmap.HeatmapColorModeScheme).Scheme("Oranges").Steps(64))
	case number:
		return stat.NewPanelBuilder().Id(id).Title(p.title).Description(p.description).Datasource(from).Targets(targets).
			Unit(p.unit).Span(width / max(2, beside)).Height(numberTall).GraphMode(common.BigValueGraphModeNone)
	default:
		return timeseries.NewPanelBuilder().Id(id).Title(p.title).Description(p.description).Datasource(from).Targets(targets).
			Unit(p.unit).Span(span).Height(panelHeight).Min(0).FillOpacity(10).LineWidth(1).
			Legend(common.NewVizLegendOptionsBuilder().DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom).ShowLegend(true)).
			Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
	}
}
