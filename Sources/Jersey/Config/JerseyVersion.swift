/// Of the program, as it tells it.
public let jerseyVersion = "0.1.0"
