export async function comparePostgres() { return []; }
