--- What a request's body and header mean: methods and lazy fields of a
-- request, whichever protocol it came by.
-- @module quoll.http.request

local cookies = require "quoll.http.syntax.cookies"
local json = require "quoll.http.syntax.json"
local multipart = require "quoll.http.multipart"
local options = require "quoll.options"
local parameters = require "quoll.http.syntax.parameters"
local query = require "quoll.http.syntax.query"

local FIELDS = 1000 -- of an urlencoded form

local Request = {}
local lazy = {}

--- The query's names and their first values, decoded. A lazy field.
-- @treturn table
function lazy.query(req)
  return (query.parse_query(req.querystring))
end

--- The cookies' names and their first values. A lazy field.
-- @treturn table
function lazy.cookies(req)
  return cookies.parse(table.concat(req:header_values "cookie", "; "))
end

--- The values of one name of the query, decoded.
-- @string name
-- @treturn table array, empty when there is none
function Request:query_values(name)
  return query.values(self.querystring, name)
end

--- The body as JSON, whatever Content-Type says; null is cjson.null.
-- @number[opt] max bytes of the body; the server's `body` else
-- @treturn[1] any the value
-- @treturn[2] nil
-- @treturn[2] string "invalid json: ...", or as body()
-- @treturn[2] string CODE: EBADMSG, or as body()
function Request:json(max)
  local text, err, code = self:body(max)
  if not text then
    return nil, err, code
  end
  return json.decode(text)
end

local FORM = { fields = "number", max = "number" }

--- The body as a form (application/x-www-form-urlencoded).
-- @tparam ?table opts `fields` (1000): names at most; `max`: bytes of the body
-- @treturn[1] table name -> first value
-- @treturn[1] table name -> array of its values
-- @treturn[2] nil
-- @treturn[2] string "not a form", "too many fields", or as body()
-- @treturn[2] string CODE: EBADMSG, EMSGSIZE, or as body()
function Request:form(opts)
  opts = options.check(opts, FORM, "form")
  if parameters.parse(self:header "content-type" or "")
    ~= "application/x-www-form-urlencoded"
  then
    return nil, "not a form", "EBADMSG"
  end
  local text, err, code = self:body(opts.max)
  if not text then
    return nil, err, code
  end
  local first, all = query.parse_query(text, opts.fields or FIELDS)
  if not first then
    return nil, "too many fields", "EMSGSIZE"
  end
  return first, all
end

local MULTIPART = { parts = "number", header = "number" }

--- Iterates over the parts of an uploaded form (multipart/form-data) as they
-- come; a part that is not read is skipped. What is malformed is raised as a
-- failure that the server answers: 400, 413 or 431.
-- @tparam ?table opts `parts` (100): how many at most; `header` (8192): bytes
-- of a part's header
-- @treturn[1] Iterator of parts: name, filename (without folders; nil: no
-- file), type, headers, chunks(), body(max), save(path)
-- @treturn[2] nil
-- @treturn[2] string "not a multipart form"
-- @treturn[2] string "EBADMSG"
function Request:multipart(opts)
  opts = options.check(opts, MULTIPART, "multipart")
  local boundary = multipart.boundary(self:header "content-type")
  if not boundary then
    return nil, "not a multipart form", "EBADMSG"
  end
  local chunks = self:chunks()
  return multipart.parts(function() return (chunks()) end, boundary, opts)
end

return { methods = Request, lazy = lazy }
