package app

import (
	"context"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/adapter/modelserver"
	"github.com/blabber-hive/blabber-hive/internal/adapter/vader"
	"github.com/blabber-hive/blabber-hive/internal/mood"
)

// openMood starts the reading of moods, which nobody waits for.
func (s *Server) openMood(context.Context) error {
	if !s.config.moods() || !s.config.Cluster.has(roleSentiment) {
		return nil
	}
	model, err := s.openModel()
	if err != nil {
		return err
	}
	texts, err := s.texts()
	if err != nil {
		return fmt.Errorf("open the texts to be read: %w", err)
	}
	reader := mood.NewReader(texts, s.store, model, s.queue, time.Now, mood.NewMetrics(s.registry), s.log, s.tracer)
	s.start("mood reader", stopPatience, reader.Run, nil)
	return nil
}

// openModel opens the model server, where there is one.
func (s *Server) openModel() (mood.Model, error) {
	if s.config.SentimentURL.IsZero() {
		return vader.New(), nil
	}
	model, err := modelserver.New(modelserver.Options{URL: s.config.SentimentURL, Registry: s.registry})
	if err != nil {
		return nil, fmt.Errorf("open the model server: %w", err)
	}
	s.stack.Push("model server", stopPatience, func(context.Context) error {
		model.Close()
		return nil
	})
	return model, nil
}

// openTexts joins those who read the texts of a cluster.
func (s *Server) openTexts(options kafka.Options) (mood.Texts, error) {
	texts, err := kafka.OpenTexts(options)
	if err != nil {
		return nil, err
	}
	s.stack.Push("texts", stopPatience, texts.Close)
	return texts, nil
}
