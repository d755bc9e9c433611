// Command mkdb writes a small vulnerability database in Trivy's format (schema 2) from a list of known advisories, and
// beside it an index of Java archives: without one Trivy opens no jar file at all, and a jar that does not say what it is (it
// was not built by Maven, as Spring's and Tomcat's) is found there by its name.
//
//	mkdb <folder> <advisories.json> <archives.json>
//
// writes <folder>/db/{trivy.db,metadata.json}, <folder>/java-db/{trivy-java.db,metadata.json} and <folder>/subset.json.
// The databases are dated as the list is, never as the day of the build: what the list does not know stays unknown.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aquasecurity/trivy-db/pkg/db"
	"github.com/aquasecurity/trivy-db/pkg/metadata"
	"github.com/aquasecurity/trivy-db/pkg/types"
	javadb "github.com/aquasecurity/trivy-java-db/pkg/db"
	javatypes "github.com/aquasecurity/trivy-java-db/pkg/types"
	bolt "go.etcd.io/bbolt"
	_ "modernc.org/sqlite"
)

type advisory struct {
	ID         string   `json:"id"`        // CVE number
	Advisory   string   `json:"advisory"`  // the number that its publisher gave it, where there is one: GHSA-…, DSA-…
	Ecosystem  string   `json:"ecosystem"` // "npm", "maven", or a release such as "debian 12"
	Package    string   `json:"package"`   // group:artifact for Maven, the source package for Debian
	Title      string   `json:"title"`
	Severity   string   `json:"severity"`
	Vulnerable []string `json:"vulnerable"` // version ranges; of Debian none
	Patched    []string `json:"patched"`
	Fixed      string   `json:"fixed"` // Debian's version that repairs it
}

type list struct {
	Date       string     `json:"date"` // YYYY-MM-DD: when somebody last looked through the list
	Advisories []advisory `json:"advisories"`
}

// Archives that do not say of which group they are. Those of a family have their versions in common, more or less.
type index struct {
	Date     string `json:"date"`
	Families []struct {
		Group     string   `json:"group"`
		Artifacts []string `json:"artifacts"`
		Versions  string   `json:"versions"` // with blanks between
	} `json:"families"`
}

// As Trivy's own database names them (trivy-db, pkg/vulnsrc/ghsa and pkg/vulnsrc/debian).
var sources = map[string]struct {
	bucket string
	source types.DataSource
}{
	"npm": {"npm::GitHub Security Advisory npm", types.DataSource{ID: "ghsa", Name: "GitHub Security Advisory npm",
		URL: "https://github.com/advisories?query=type%3Areviewed+ecosystem%3Anpm"}},
	"maven": {"maven::GitHub Security Advisory Maven", types.DataSource{ID: "ghsa", Name: "GitHub Security Advisory Maven",
		URL: "https://github.com/advisories?query=type%3Areviewed+ecosystem%3Amaven"}},
}

var debian = types.DataSource{ID: "debian", Name: "Debian Security Tracker", URL: "https://salsa.debian.org/security-tracker-team/security-tracker"}

func main() {
	if len(os.Args) != 4 {
		fail(fmt.Errorf("usage: mkdb <folder> <advisories.json> <archives.json>"))
	}
	var known list
	date := read(os.Args[2], &known, func() string { return known.Date })
	var jars index
	jarsDate := read(os.Args[3], &jars, func() string { return jars.Date })
	fail(vulnerabilities(filepath.Join(os.Args[1], "db"), known.Advisories, date))
	fail(archives(filepath.Join(os.Args[1], "java-db"), jars, jarsDate))
	note, err := json.Marshal(map[string]any{"date": known.Date, "advisories": len(known.Advisories)})
	fail(err)
	fail(os.WriteFile(filepath.Join(os.Args[1], "subset.json"), append(note, '\n'), 0o644))
}

// Reads a list, and answers its day.
func read(file string, into any, day func() string) time.Time {
	text, err := os.ReadFile(file)
	fail(err)
	fail(json.Unmarshal(text, into))
	date, err := time.Parse(time.DateOnly, day())
	fail(err)
	return date
}

func vulnerabilities(dir string, advisories []advisory, date time.Time) error {
	if err := db.Init(dir); err != nil {
		return err
	}
	dbc := db.Config{}
	err := dbc.BatchUpdate(func(tx *bolt.Tx) error {
		for _, a := range advisories {
			bucket, source := a.Ecosystem, debian
			content := types.Advisory{FixedVersion: a.Fixed}
			if s, ok := sources[a.Ecosystem]; ok {
				bucket, source = s.bucket, s.source
				content = types.Advisory{VulnerableVersions: a.Vulnerable, PatchedVersions: a.Patched}
			}
			if a.Advisory != "" {
				content.VendorIDs = []string{a.Advisory}
			}
			severity, err := types.NewSeverity(a.Severity)
			if err != nil {
				return fmt.Errorf("%s: %w", a.ID, err)
			}
			if err := dbc.PutDataSource(tx, bucket, source); err != nil {
				return err
			}
			if err := dbc.PutAdvisory(tx, []string{bucket, a.Package}, a.ID, &content); err != nil {
				return err
			}
			if err := dbc.PutVulnerability(tx, a.ID, types.Vulnerability{
				Title:          a.Title,
				Severity:       a.Severity,
				VendorSeverity: types.VendorSeverity{source.ID: severity},
				References:     []string{"https://nvd.nist.gov/vuln/detail/" + a.ID},
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	return metadata.NewClient(dir).Update(metadata.Metadata{
		Version: db.SchemaVersion, UpdatedAt: date, NextUpdate: date.AddDate(0, 0, 1), DownloadedAt: date,
	})
}

// Without digests: what says of itself what it is needs no entry, and a name with its version is enough for the others.
func archives(dir string, jars index, date time.Time) error {
	written, err := javadb.New(dir)
	if err != nil {
		return err
	}
	if err := written.Init(); err != nil {
		return err
	}
	for _, family := range jars.Families {
		for _, artifact := range family.Artifacts {
			var rows []javatypes.Index
			for _, version := range strings.Fields(family.Versions) {
				rows = append(rows, javatypes.Index{
					GroupID: family.Group, ArtifactID: artifact, Version: version, ArchiveType: javatypes.JarType,
				})
			}
			if err := written.InsertIndexes(rows); err != nil {
				return fmt.Errorf("%s:%s: %w", family.Group, artifact, err)
			}
		}
	}
	if err := written.Close(); err != nil {
		return err
	}
	client := javadb.NewMetadata(dir)
	return client.Update(javadb.Metadata{
		Version: javadb.SchemaVersion, UpdatedAt: date, NextUpdate: date.AddDate(0, 0, 1), DownloadedAt: date,
	})
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "mkdb:", err)
		os.Exit(1)
	}
}
