--- Forms as browsers upload them (multipart/form-data, RFC 7578), part by part
-- as they come. Strict: what browsers would not send is refused.
-- @module quoll.http.multipart

local failure = require "quoll.http.failure"
local headers = require "quoll.http.multipart.headers"
local iterator = require "quoll.iterator"
local part = require "quoll.http.multipart.part"
local parameters = require "quoll.http.syntax.parameters"
local source = require "quoll.http.multipart.source"

local PARTS = 100    -- of a form
local HEADER = 8192  -- bytes of a part's header

local multipart = {}

local function malformed(what)
  failure.raise(400, "malformed multipart: " .. what)
end

local function pull_part(self)
  local piece, ended = self.from:piece()
  if not piece and not ended then
    malformed "it ends within a part"
  end
  return piece
end

-- Behind a delimiter: "--" is the end, CRLF begins a part.
local function begin(self)
  local two = self.from:take(2)
  if two == "--" then
    self.ended = true
  elseif two ~= "\r\n" then
    malformed(two and "a boundary with something behind"
      or "it ends in a boundary")
  end
  return not self.ended
end

-- The first boundary begins the body, or a line of its own.
local function open(self)
  self.opened = true
  local delimiter = self.from.delimiter
  local first = self.from:take(2)
  if first and first ~= "\r\n" then
    self.from.rest = first .. self.from.rest
  end
  if self.from:take(#delimiter - 2) ~= delimiter:sub(3) then
    malformed "it does not begin with the boundary"
  end
end

local function read_header(self)
  local text, long = self.from:take_until("\r\n\r\n", self.header)
  if not text then
    if long then
      failure.raise(431, "multipart: header of a part too large")
    end
    malformed "it ends within a header"
  end
  local fields = headers.parse(text .. "\r\n")
  return fields or malformed "header of a part"
end

local function next_part(self)
  if self.ended then
    return nil
  elseif not self.opened then
    open(self)
  else
    part.finish(self.current)
  end
  if not begin(self) then
    return nil
  end
  self.count = self.count + 1
  if self.count > self.parts then
    failure.raise(413, "multipart: too many parts")
  end
  local description = headers.describe(read_header(self))
    or malformed "a part without Content-Disposition: form-data; name"
  self.current = part.new(description, function()
    return pull_part(self)
  end)
  return self.current
end

--- The boundary that a Content-Type names.
-- @tparam ?string content_type
-- @treturn ?string nil: it is no multipart/form-data, or has no valid one
function multipart.boundary(content_type)
  local kind, found = parameters.parse(content_type or "")
  local boundary = kind == "multipart/form-data" and found.boundary
  if boundary and #boundary <= 70
    and boundary:find "^[%w'()+_,-./:=? ]*[%w'()+_,-./:=?]$"
  then
    return boundary
  end
end

--- Iterates over the parts of a body.
-- @func pull pull() -> piece | nil at the end; raises on failure
-- @string boundary
-- @tparam ?table opts parts (100): how many; header (8192): bytes of a part's
-- @treturn Iterator of parts; raises a failure: 400 (malformed), 413, 431
function multipart.parts(pull, boundary, opts)
  return iterator.new(next_part, {
    from = source.new(pull, "\r\n--" .. boundary), count = 0,
    parts = opts and opts.parts or PARTS,
    header = opts and opts.header or HEADER,
  })
end

return multipart
