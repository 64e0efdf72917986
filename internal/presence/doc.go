package presence
