package sequencer
