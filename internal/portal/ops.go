package portal

func opsRoutes() []Route { return nil }
