package demo

import (
	"encoding/csv"
	"fmt"
	"strconv"

	"huoban/data"
	"huoban/internal/organisation"
)

// Organisation is a row of organisations.csv.
type Organisation struct {
	Code   string
	Kind   organisation.Kind
	Parent string
	Name   string
}

// Person is a row of people.csv.
type Person struct{ Organisation, Login, Name, Role, Supervisor string }

// Customer is a row of customers.csv with what follows from it. Joined is the month it begins in.
type Customer struct {
	Code, Name, Industry, Partner, Association string
	Size                                       int
	SubAccounts                                []SubAccount
	Joined                                     int
	Contract                                   int64 // percent of the list price
	Moves                                      int   // month in which MovedTo takes over; 0 is never
	MovedTo                                    string
}

// SubAccount is one account of a customer at the cloud.
type SubAccount struct{ ID, Name string }

// Product is a row of products.csv; Price is ten-thousandths of a yuan.
type Product struct {
	Code, Provider, Category, Service, SKU, Description, Unit string
	Price                                                     int64
	Mode, Region, Industry                                    string
	Weight                                                    int
}

// Modes of the price list.
const (
	onDemand     = "on_demand"
	subscription = "subscription"
	market       = "market"
)

func (w *World) load() error {
	err := table("organisations.csv", 4, func(r []string) error {
		w.Organisations = append(w.Organisations, Organisation{r[0], organisation.Kind(r[1]), r[2], r[3]})
		return nil
	})
	if err != nil {
		return err
	}
	err = table("people.csv", 5, func(r []string) error {
		w.People = append(w.People, Person{r[0], r[1], r[2], r[3], r[4]})
		return nil
	})
	if err != nil {
		return err
	}
	err = table("customers.csv", 6, func(r []string) error {
		size, err := strconv.Atoi(r[5])
		w.Customers = append(w.Customers, Customer{Code: r[0], Name: r[1], Industry: r[2], Partner: r[3], Association: r[4], Size: size})
		return err
	})
	if err != nil {
		return err
	}
	return table("products.csv", 12, func(r []string) error {
		price, err := strconv.ParseFloat(r[7], 64)
		if err != nil {
			return err
		}
		weight, err := strconv.Atoi(r[11])
		w.Products = append(w.Products, Product{Code: r[0], Provider: r[1], Category: r[2], Service: r[3], SKU: r[4], Description: r[5],
			Unit: r[6], Price: int64(price*10000 + 0.5), Mode: r[8], Region: r[9], Industry: r[10], Weight: weight})
		return err
	})
}

// table gives the rows below the header of one table.
func table(name string, width int, row func([]string) error) error {
	f, err := data.Demo.Open("demo/" + name)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = width
	all, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for i, rec := range all[1:] {
		if err := row(rec); err != nil {
			return fmt.Errorf("%s row %d: %w", name, i+2, err)
		}
	}
	return nil
}
