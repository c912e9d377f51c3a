--- Fetches URLs at once with libcurl, a C library that quoll knows nothing of:
--   luajit examples/curl.lua URL...
--
-- Its multi interface never blocks: it moves what can be moved, and says what
-- to wait for; quoll.waitfd waits. C never calls Lua here: a callback is slow,
-- may not wait, and ends the process if compiled code leads to it. So the
-- descriptors are asked for, and a body goes to a FILE in memory.
local ffi = require "ffi"
local quoll = require "quoll"

ffi.cdef [[
void *curl_easy_init(void), curl_easy_cleanup(void *easy);
int curl_easy_setopt(void *easy, int option, ...);
int curl_easy_getinfo(void *easy, int info, ...);
const char *curl_easy_strerror(int code);
void *curl_multi_init(void), *open_memstream(char **text, size_t *size);
int curl_multi_add_handle(void *multi, void *easy), curl_multi_cleanup(void *);
int curl_multi_remove_handle(void *multi, void *easy);
int curl_multi_perform(void *multi, int *n), curl_multi_timeout(void *, long *);
int curl_multi_fdset(void *, uint32_t *r, uint32_t *w, uint32_t *e, int *last);
struct { int msg; void *easy; int err; } *curl_multi_info_read(void *, int *);
int fflush(void *file), fclose(void *file); void free(void *text);
]]
local C, curl = ffi.C, ffi.load "libcurl.so.4"
local WRITEDATA, URL, NOSIGNAL, STATUS = 10001, 10002, 99, 0x200002

-- Until one of the descriptors is ready, or it is time to call anyway.
local function wait(multi)
  local reads, writes = ffi.new "uint32_t[32]", ffi.new "uint32_t[32]"
  local last, ms, waits = ffi.new "int[1]", ffi.new "long[1]", {}
  curl.curl_multi_fdset(multi, reads, writes, ffi.new "uint32_t[32]", last)
  curl.curl_multi_timeout(multi, ms)
  local s = ms[0] < 0 and 1 or tonumber(ms[0]) / 1000
  for fd = 0, last[0] do -- an fd_set: one bit each
    local function has(set)
      return bit.band(set[bit.rshift(fd, 5)], bit.lshift(1, fd)) ~= 0
    end
    local mode = (has(reads) and "r" or "") .. (has(writes) and "w" or "")
    local function ready() return quoll.waitfd(fd, mode, s) end
    waits[#waits + 1] = mode ~= "" and ready or nil
  end
  return waits[1] and quoll.any(waits) or quoll.sleep(math.min(s, 0.1))
end

-- The body and its status | nil, err.
local function get(url)
  local text, size = ffi.new "char *[1]", ffi.new "size_t[1]"
  local file, n = C.open_memstream(text, size), ffi.new "int[1]"
  local multi, easy = curl.curl_multi_init(), curl.curl_easy_init()
  quoll.defer(function() -- cancelled or not
    curl.curl_multi_remove_handle(multi, easy)
    curl.curl_easy_cleanup(easy)
    curl.curl_multi_cleanup(multi)
    C.fclose(file) C.free(text[0])
  end)
  curl.curl_easy_setopt(easy, URL, url)
  curl.curl_easy_setopt(easy, WRITEDATA, file)
  curl.curl_easy_setopt(easy, NOSIGNAL, ffi.new("long", 1))
  curl.curl_multi_add_handle(multi, easy)
  while curl.curl_multi_perform(multi, n) == 0 and n[0] > 0 do
    wait(multi)
  end
  local result = curl.curl_multi_info_read(multi, n).err
  if result ~= 0 then
    return nil, ffi.string(curl.curl_easy_strerror(result))
  end
  local status = ffi.new "long[1]"
  curl.curl_easy_getinfo(easy, STATUS, status)
  C.fflush(file)
  return ffi.string(text[0], size[0]), tonumber(status[0])
end

quoll.run(function()
  for _, url in ipairs(arg) do
    quoll.spawn(function()
      local body, status = get(url)
      print(url, status, body and #body)
    end)
  end
end)
