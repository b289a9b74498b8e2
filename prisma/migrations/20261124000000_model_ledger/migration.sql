-- AlterTable
ALTER TABLE "model" ADD COLUMN "ledger" JSON;
