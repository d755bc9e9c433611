module gantry.dev/lab/web

go 1.24.0
