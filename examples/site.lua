--- A web site: the documents as pages, a stream of events, an upload, a chat.
--
--   luajit examples/site.lua [HOST:PORT]

local quoll = require "quoll"

local here = arg[0]:match "^(.*)/" or "."
package.path = here .. "/?.lua;" .. package.path
local chat = require "site.chat"
local live = require "site.live"
local upload = require "site.upload"
local http = quoll.http

local address = arg[1] or "127.0.0.1:8080"

local pages = http.static(here .. "/site", { cache_control = "no-cache" })
local marked = http.static("/usr/share/javascript/marked", -- libjs-marked
  { cache_control = "max-age=3600" })

--- Middleware: a browser that opens a Markdown file gets a page that renders
-- it; who fetches it gets the file.
local function readable(next)
  return function(req)
    if not req.path:find "%.md$" then
      return next(req)
    end
    local handler, wanted = next, req:header "accept" or ""
    if wanted:find("text/html", 1, true) then
      req.path, handler = "/read.html", pages
    end
    local status, body, headers = http.normal(handler(req))
    headers.vary = "Accept"
    return status, body, headers
  end
end

--- Middleware: pages load nothing from elsewhere.
local function strict(next)
  return function(req)
    local status, body, headers = http.normal(next(req))
    if status then
      headers["content-security-policy"] = "default-src 'self'; "
        .. "style-src 'self' 'unsafe-inline'; img-src 'self' data:"
      headers["x-content-type-options"] = "nosniff"
    end
    return status, body, headers
  end
end

local site = http.router()
  :use(strict)
  :get("/events", live.events)
  :get("/chat", chat.join)
  :post("/upload", upload.form)
  :put("/upload/:name", upload.file)
  :mount("/docs", readable, http.static(here .. "/../docs"))
  :mount("/examples", http.static(here, { listing = true, index = false }))
  :mount("/marked", marked)
  :mount("/", pages)

local listener, err = quoll.listen(address)
if not listener then
  io.stderr:write("site: ", address, ": ", err, "\n")
  os.exit(1)
end
io.stdout:setvbuf "line"
print("listening on " .. listener:address())
print("open http://" .. listener:address() .. "/; Ctrl-C stops it")
http.serve(listener, site, { body_max = 2 ^ 30 })
print "stopped"
