// Package vader finds how texts sound in this process, by the word list and rules of VADER (C. J. Hutto and E. Gilbert:
// VADER, a parsimonious rule-based model for sentiment analysis of social media text, ICWSM 2014). It knows English words,
// emoticons and emoji; a text in another language is neutral to it.
//
// What it owns: one analyzer, which is loaded once and read by all. There are no dependencies that could die.
package vader

import (
	"context"
	"math"

	"github.com/jonreiter/govader"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// neutralBand is the score within which a text is neutral, as VADER's authors set it.
const neutralBand = 0.05

// textRunesMax is how much of a text is read, as by the model server.
const textRunesMax = 4000

// Model reads texts. All methods may be called concurrently.
type Model struct {
	analyzer *govader.SentimentIntensityAnalyzer
}

// New loads the word list, which takes some milliseconds.
func New() *Model { return &Model{govader.NewSentimentIntensityAnalyzer()} }

// Read implements mood.Model.
func (m *Model) Read(ctx context.Context, texts []string) ([]chat.Mood, error) {
	moods := make([]chat.Mood, len(texts))
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		moods[i] = moodOf(m.analyzer.PolarityScores(chat.Cut(text, textRunesMax)).Compound)
	}
	return moods, nil
}

func moodOf(compound float64) chat.Mood {
	if math.IsNaN(compound) {
		compound = 0 // of a text without a word
	}
	mood := chat.Mood{Label: chat.Neutral, Thousandths: int(math.Round(1000 * min(max(compound, -1), 1)))}
	switch {
	case compound >= neutralBand:
		mood.Label = chat.Positive
	case compound <= -neutralBand:
		mood.Label = chat.Negative
	}
	return mood
}
