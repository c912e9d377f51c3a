--- JSON by Debian's lua-cjson, loaded at its first use.
-- @module quoll.http.syntax.json

local json = {}

local codec

local function load()
  local ok, cjson = pcall(require, "cjson.safe")
  if not ok then
    error("quoll.http: JSON needs lua-cjson (apt install lua-cjson): " .. cjson,
      0)
  end
  codec = cjson.new()
  codec.decode_invalid_numbers(false)
  return codec
end

--- Encodes a value. Numbers have 14 digits: longer ones had better be strings.
-- @param value nil, boolean, number, string, or a table of these
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] string what cannot be encoded
function json.encode(value)
  return (codec or load()).encode(value)
end

--- Decodes a text. null is cjson.null.
-- @string text
-- @return[1] the value
-- @treturn[2] nil
-- @treturn[2] string "invalid json: ..."
-- @treturn[2] string "EBADMSG"
function json.decode(text)
  local value, err = (codec or load()).decode(text)
  if value == nil then
    return nil, "invalid json: " .. err:lower(), "EBADMSG"
  end
  return value
end

return json
