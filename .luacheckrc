std = "luajit"
max_line_length = 80
unused_secondaries = true
files["spec"] = { std = "+busted" }
files["examples/ext/template/*_spec.lua"] = { std = "+busted" }
files[".busted"] = { ignore = { "" } }
exclude_files = { "build", "build-*" }
