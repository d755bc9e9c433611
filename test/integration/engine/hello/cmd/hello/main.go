// Package main says one word; test/integration/engine/packages.test.ts builds it.
package main

import "fmt"

var word = "nothing"

func main() { fmt.Println(word) }
