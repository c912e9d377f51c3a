-- Serves the files of a folder.
local quoll = require "quoll"

local listener = assert(quoll.listen("127.0.0.1:0"))
print("listening on " .. listener:address())
io.stdout:flush()

quoll.http.serve(listener, quoll.http.static(arg[1]), { requests = math.huge })
