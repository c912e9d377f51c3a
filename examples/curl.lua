--- Fetches URLs with libcurl, a C library that quoll knows nothing of, many at
-- once, over few connections that are used again:
--   luajit examples/curl.lua URL...
--
-- Its multi interface never blocks: it moves what can be moved, and says what
-- to wait for. C never calls Lua here: a callback may not wait, and is fatal
-- below compiled code. Descriptors are asked for; a body goes to a FILE.
local ffi = require "ffi"
local quoll = require "quoll"

ffi.cdef [[
void *curl_easy_init(void), curl_easy_cleanup(void *easy), free(void *text);
int curl_easy_setopt(void *easy, int option, ...);
int curl_easy_getinfo(void *easy, int info, ...), curl_multi_cleanup(void *);
const char *curl_easy_strerror(int code);
void *curl_multi_init(void), *open_memstream(char **text, size_t *size);
int curl_multi_setopt(void *multi, int option, ...);
int curl_multi_add_handle(void *multi, void *easy), fclose(void *file);
int curl_multi_remove_handle(void *multi, void *easy);
int curl_multi_perform(void *multi, int *n), curl_multi_timeout(void *, long *);
int curl_multi_fdset(void *, uint32_t *r, uint32_t *w, uint32_t *e, int *last);
struct { int msg; void *easy; int err; } *curl_multi_info_read(void *, int *);
]]
local C, curl = ffi.C, ffi.load "libcurl.so.4"
local WRITEDATA, URL, STATUS, HOST_CONNECTIONS = 10001, 10002, 0x200002, 7
local multi, running = curl.curl_multi_init(), ffi.new "int[1]"
local transfers, added = {}, quoll.sync.event() -- by the handle's address

-- Moves what can be moved; waits until a descriptor is ready, it is time to
-- move anyway, or there is more; and goes on.
local function move()
  local last, ms, waits = ffi.new "int[1]", ffi.new "long[1]", {}
  local reads, writes = ffi.new "uint32_t[32]", ffi.new "uint32_t[32]"
  added:clear()
  curl.curl_multi_perform(multi, running)
  local done = curl.curl_multi_info_read(multi, last)
  while done ~= nil do
    transfers[tostring(done.easy)]:send(done.err)
    done = curl.curl_multi_info_read(multi, last)
  end
  curl.curl_multi_fdset(multi, reads, writes, ffi.new "uint32_t[32]", last)
  curl.curl_multi_timeout(multi, ms)
  local s = running[0] > 0 and (ms[0] < 0 and 0.1 or tonumber(ms[0]) / 1000)
  waits[1] = function() added:wait(s or nil) end
  for fd = 0, last[0] do -- an fd_set: one bit each
    local word, mask = bit.rshift(fd, 5), bit.lshift(1, fd)
    local mode = (bit.band(reads[word], mask) ~= 0 and "r" or "")
      .. (bit.band(writes[word], mask) ~= 0 and "w" or "")
    local function ready() quoll.waitfd(fd, mode) end
    waits[#waits + 1] = mode ~= "" and ready or nil
  end
  quoll.race(waits)
  return move()
end

local function fetch(url)
  local text, size = ffi.new "char *[1]", ffi.new "size_t[1]"
  local file, easy = C.open_memstream(text, size), curl.curl_easy_init()
  transfers[tostring(easy)] = quoll.sync.channel(1)
  curl.curl_easy_setopt(easy, URL, url)
  curl.curl_easy_setopt(easy, WRITEDATA, file)
  curl.curl_multi_add_handle(multi, easy)
  added:set()
  local err, status = transfers[tostring(easy)]:receive(), ffi.new "long[1]"
  curl.curl_multi_remove_handle(multi, easy)
  curl.curl_easy_getinfo(easy, STATUS, status)
  curl.curl_easy_cleanup(easy)
  C.fclose(file) C.free(text[0])
  print(url, err == 0 and tonumber(status[0])
    or ffi.string(curl.curl_easy_strerror(err)), tonumber(size[0]))
end

curl.curl_multi_setopt(multi, HOST_CONNECTIONS, ffi.new("long", 6))
quoll.run(quoll.scope, function(scope)
  scope:background(move)
  for _, url in ipairs(arg) do
    scope:spawn(fetch, url)
  end
end)
curl.curl_multi_cleanup(multi)
