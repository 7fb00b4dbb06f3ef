package part

// flashRole makes a failure interrupt and everything else wait its turn, for screen readers.
func flashRole(t Tone) string {
	if t == Bad || t == Warn {
		return "alert"
	}
	return "status"
}

func flashIcon(t Tone) string {
	switch t {
	case Bad:
		return "stop"
	case Warn:
		return "alert"
	case Good:
		return "ok"
	}
	return "info"
}
